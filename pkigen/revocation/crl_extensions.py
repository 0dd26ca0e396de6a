"""The extensions by which CRLs are split up and tied together (RFC 5280, 5.2.4 to 5.2.6 and 5.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pkigen.asn1 import der, oids
from pkigen.model import Extension

_TRUE = b"\xff"
_URI = 0x86


def issuing_distribution_point(url: str, *, reasons: Sequence[str] = (), indirect: bool = False) -> Extension:
    """IssuingDistributionPoint (5.2.5), critical: a CRL for the certificates that name ``url``.

    ``reasons`` are ReasonFlags by name: those for which alone it lists; none stands for all of them.
    """
    parts = [der.explicit(0, _full_name(url))]
    if reasons:
        parts.append(der.tlv(0x83, der.contents(der.named_bits(tuple(reasons), oids.REASON_FLAGS))))
    if indirect:
        parts.append(der.tlv(0x84, _TRUE))
    return Extension(oids.ISSUING_DISTRIBUTION_POINT, True, der.sequence(*parts))


def freshest_crl(url: str) -> Extension:
    """FreshestCRL (5.2.6): where the delta CRL of this complete one is."""
    point = der.sequence(der.explicit(0, _full_name(url)))
    return Extension(oids.FRESHEST_CRL, False, der.sequence(point))


def delta_indicator(base: int) -> Extension:
    """BaseCRLNumber (5.2.4), critical: the CRL says what changed since the one of that number."""
    return Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(base))


def invalidity_date(instant: datetime) -> Extension:
    """InvalidityDate (5.3.2) of an entry: since when the key is believed to be in other hands."""
    utc = instant.astimezone(UTC)
    text = f"{utc.year:04}{utc:%m%d%H%M%S}Z"
    return Extension(oids.INVALIDITY_DATE, False, der.tlv(der.GENERALIZED_TIME, text.encode()))


def certificate_issuer(name: bytes) -> Extension:
    """CertificateIssuer (5.3.3), critical: whose certificates this entry and those behind it are of.

    ``name`` is the issuing CA's Name in DER.
    """
    return Extension(oids.CERTIFICATE_ISSUER, True, der.sequence(der.explicit(4, name)))


def _full_name(url: str) -> bytes:
    return der.tlv(0xA0, der.tlv(_URI, url.encode("ascii")))
