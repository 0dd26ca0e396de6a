"""What can be in a file, and where in it it was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pkigen.x509 import Certificate, CertificateList, CertificationRequest

if TYPE_CHECKING:
    from pkigen.inspection.artifacts.keys import KeyFile


class Kind(StrEnum):
    """What an artefact is."""

    CERTIFICATE = "certificate"
    KEY = "private key"
    PUBLIC_KEY = "public key"
    REQUEST = "certification request"
    CRL = "CRL"
    PKCS7 = "PKCS#7"
    PKCS12 = "PKCS#12"
    OCSP_RESPONSE = "OCSP response"
    UNKNOWN = "unknown"


class Encoding(StrEnum):
    """How a file, or a block of it, is written."""

    PEM = "PEM"
    DER = "DER"
    PKCS7 = "PKCS#7"
    PKCS12 = "PKCS#12"
    NONE = "neither PEM nor DER"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an artefact was found.

    ``file`` is the name that the user gave, ``position`` counts the artefacts of the file from 1.
    ``encoding`` is the file's; ``label`` is the PEM block's, "" in other encodings. ``before`` is
    the text in front of a PEM block (bag attributes, comments).
    """

    file: str
    encoding: Encoding
    position: int = 1
    label: str = ""
    before: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        return self.file if self.position == 1 else f"{self.file} (number {self.position})"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One thing in a file: its kind, its octets, what was read of it, or why it was not.

    ``der`` are the octets that it is in (for a key those of its own format, which can be encrypted).
    ``friendly_name`` is what PKCS#12 calls it.
    """

    kind: Kind
    source: Source
    der: bytes = field(repr=False)
    value: Certificate | CertificateList | CertificationRequest | KeyFile | None = None
    problem: str = ""
    friendly_name: str = ""

    @property
    def certificate(self) -> Certificate | None:
        """The certificate, if this is a readable one."""
        return self.value if isinstance(self.value, Certificate) else None

    @property
    def crl(self) -> CertificateList | None:
        """The CRL, if this is a readable one."""
        return self.value if isinstance(self.value, CertificateList) else None

    @property
    def request(self) -> CertificationRequest | None:
        """The request, if this is a readable one."""
        return self.value if isinstance(self.value, CertificationRequest) else None

    @property
    def key(self) -> KeyFile | None:
        """The private key, opened or not."""
        from pkigen.inspection.artifacts.keys import KeyFile

        return self.value if isinstance(self.value, KeyFile) else None
