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
    """A CRL or a certificate: whose, from when, until when; for a CRL its number and count of entries."""

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
    """What ``data`` is if it is what its suffix says, DER; None for all else, such as a fault's octets."""
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
    """How long a cache may keep it (RFC 9111, 5.2.2).

    A CRL as long as it counts (so RFC 5019, 6.2, wants it for OCSP answers), not at all once it is past.
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
