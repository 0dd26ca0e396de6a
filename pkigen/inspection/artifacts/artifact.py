"""The contents of a file, and their position in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pkigen.x509 import Certificate, CertificateList, CertificationRequest

if TYPE_CHECKING:
    from pkigen.inspection.artifacts.keys import KeyFile


class Kind(StrEnum):
    """The kind of an artifact."""

    CERTIFICATE = "certificate"
    KEY = "private key"
    PUBLIC_KEY = "public key"
    REQUEST = "certification request"
    CRL = "CRL"
    PKCS7 = "PKCS#7"
    PKCS12 = "PKCS#12"
    JKS = "Java key store"
    OCSP_RESPONSE = "OCSP response"
    SECRET_KEY = "secret"  # noqa: S105  # not a password
    UNKNOWN = "unknown"


class Encoding(StrEnum):
    """How a file, or a block in it, is encoded."""

    PEM = "PEM"
    DER = "DER"
    BASE64 = "base64"
    PKCS7 = "PKCS#7"
    PKCS12 = "PKCS#12"
    JKS = "JKS"
    ZIP = "ZIP"
    TAR = "tar"
    NONE = "neither PEM nor DER"


@dataclass(frozen=True, slots=True)
class Source:
    """The place of an artifact.

    ``file`` is the name that the user gave, ``position`` the number of the artifact in the file, from 1.
    ``encoding`` is the file's; ``label`` is the PEM block's, or the
    name of the file in an archive. ``before`` is the text
    in front of a PEM block (bag attributes, comments), ``size`` the length of the file in bytes.
    ``mode`` are the permissions of the file, None if they are not known.
    ``ciphers`` and ``mac`` are the algorithms that protect an open PKCS#12 file, "" without a MAC.
    """

    file: str
    encoding: Encoding
    position: int = 1
    label: str = ""
    before: bytes = field(default=b"", repr=False)
    size: int = field(default=0, compare=False)
    ciphers: tuple[str, ...] = field(default=(), compare=False)
    mac: str = field(default="", compare=False)
    mode: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return self.file if self.position == 1 else f"{self.file} (number {self.position})"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One object in a file: its kind, its bytes, and its parsed value or the reason why there is none.

    ``der`` are the bytes that contain it (for a key those of its own format, possibly encrypted).
    ``problem`` describes what cannot be read, ``note`` what was ignored in reading it.
    ``friendly_name`` is its name in PKCS#12 or JKS.
    """

    kind: Kind
    source: Source
    der: bytes = field(repr=False)
    value: Certificate | CertificateList | CertificationRequest | KeyFile | None = None
    problem: str = ""
    friendly_name: str = ""
    note: str = ""

    @property
    def advised_problem(self) -> str:
        """The problem; if a passphrase is missing or wrong, also what to do on the command line."""
        if "passphrase" not in self.problem:
            return self.problem
        is_missing = "no passphrase was given" in self.problem
        advice = "use --passphrase-file FILE" if is_missing else "check the file of --passphrase-file"
        return f"{self.problem}; {advice}"

    @property
    def certificate(self) -> Certificate | None:
        """The certificate, if it is readable."""
        return self.value if isinstance(self.value, Certificate) else None

    @property
    def crl(self) -> CertificateList | None:
        """The CRL, if it is readable."""
        return self.value if isinstance(self.value, CertificateList) else None

    @property
    def request(self) -> CertificationRequest | None:
        """The certification request, if it is readable."""
        return self.value if isinstance(self.value, CertificationRequest) else None

    @property
    def key(self) -> KeyFile | None:
        """The private key, also if it could not be decrypted."""
        from pkigen.inspection.artifacts.keys import KeyFile

        return self.value if isinstance(self.value, KeyFile) else None
