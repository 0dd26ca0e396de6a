"""Metadata of a published CRL or certificate, and the Cache-Control header that follows from it."""

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

# A cache asks each time before it uses what it has.
_ASK = "no-cache"
# An authority's certificate is replaced by hand and seldom.
_CERTIFICATE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class PublishedMetadata:
    """Issuer or subject and validity of a published CRL or certificate; number and entry count of a CRL."""

    kind: str
    whose: str
    begins: datetime
    ends: datetime | None
    is_crl: bool = False
    number: int | None = None
    count: int | None = None

    def remaining(self, now: datetime) -> int:
        """Whole seconds until it ends; 0 once it has, and where it does not say."""
        return 0 if self.ends is None else max(int((self.ends - now).total_seconds()), 0)


def read_metadata(suffix: str, data: bytes) -> PublishedMetadata | None:
    """Return the metadata of DER data; None if it is not what its suffix says, e.g. for a fault."""
    try:
        if suffix == ".crl":
            return _crl(CertificateList(data))
        if suffix in _CERTIFICATE_SUFFIXES:
            certificate = Certificate(data)
            kind = "CA certificate" if certificate.is_authority else "Certificate"
            whose = _readable(lambda: _whose(certificate.subject)) or ""
            return PublishedMetadata(kind, whose, certificate.not_before, certificate.not_after)
    except Malformed:
        pass
    return None


def cache_control(found: PublishedMetadata | None, now: datetime) -> str:
    """Return the Cache-Control header of a published file (RFC 9111, 5.2.2).

    A CRL may be cached until its next_update (as RFC 5019, 6.2 requires for OCSP responses).
    """
    if found is None or (found.is_crl and found.ends is None):
        return _ASK
    if not found.is_crl:
        return f"public, max-age={_CERTIFICATE_SECONDS}, no-transform"
    return f"public, max-age={found.remaining(now)}, no-transform, must-revalidate"


def _crl(crl: CertificateList) -> PublishedMetadata:
    """One with a field that cannot be read is a CRL nevertheless, as long as it says when it ends."""
    delta = _readable(lambda: crl.extensions.raw(DELTA_CRL_INDICATOR))
    return PublishedMetadata(
        kind="CRL" if delta is None else "Delta CRL",
        whose=_readable(lambda: _whose(crl.issuer)) or "",
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


def _whose(name: Name) -> str:
    """The common name where there is one, which is what people call it."""
    return " + ".join(names.values(name, names.COMMON_NAME)) or names.text(name)
