"""Metadata of a published CRL or certificate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pkigen.asn1 import names
from pkigen.asn1.oids import DELTA_CRL_INDICATOR
from pkigen.model import Name
from pkigen.x509 import Certificate, CertificateList, Malformed

T = TypeVar("T")

_CERTIFICATE_SUFFIXES = frozenset({".crt", ".cer"})


@dataclass(frozen=True, slots=True)
class PublishedMetadata:
    """Metadata of a published CRL or certificate.

    ``owner`` is the issuer of a CRL or the subject of a certificate; ``number`` and ``count``
    (of entries) belong to CRLs.
    """

    kind: str
    owner: str
    begins: datetime
    ends: datetime | None
    is_crl: bool = False
    number: int | None = None
    count: int | None = None

    def remaining(self, now: datetime) -> int:
        """Return the whole seconds until ``ends``; 0 after it, or if there is none."""
        return 0 if self.ends is None else max(int((self.ends - now).total_seconds()), 0)


def read_metadata(suffix: str, data: bytes) -> PublishedMetadata | None:
    """Return the metadata of DER data; None if it is not what its suffix says, e.g. for a fault."""
    try:
        if suffix == ".crl":
            return _crl(CertificateList(data))
        if suffix in _CERTIFICATE_SUFFIXES:
            certificate = Certificate(data)
            kind = "CA certificate" if certificate.is_authority else "Certificate"
            owner = _readable(lambda: _display_name(certificate.subject)) or ""
            return PublishedMetadata(kind, owner, certificate.not_before, certificate.not_after)
    except Malformed:
        pass
    return None


def _crl(crl: CertificateList) -> PublishedMetadata:
    """Return the metadata of a CRL; malformed optional fields are left out."""
    delta = _readable(lambda: crl.extensions.raw(DELTA_CRL_INDICATOR))
    return PublishedMetadata(
        kind="CRL" if delta is None else "Delta CRL",
        owner=_readable(lambda: _display_name(crl.issuer)) or "",
        begins=crl.this_update,
        ends=crl.next_update,
        is_crl=True,
        number=_readable(lambda: crl.number),
        count=_readable(lambda: crl.count),
    )


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except Malformed:
        return None


def _display_name(name: Name) -> str:
    """Return the common name if there is one, else the whole name."""
    return " + ".join(names.values(name, names.COMMON_NAME)) or names.text(name)
