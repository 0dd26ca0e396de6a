"""Builds CRLs (RFC 5280 5.1) and their extensions, in time and memory linear in the entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from pkigen.asn1 import der, names, oids
from pkigen.asn1.edits import edited
from pkigen.asn1.oids import AUTHORITY_KEY_IDENTIFIER, CRL_NUMBER, CRL_REASON
from pkigen.keys import PrivateKey
from pkigen.keys.entropy import Entropy
from pkigen.keys.signing import sign, signature_algorithm
from pkigen.model import Edit, Extension, Name, Signature

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


REASON_CODES = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
"""CRLReason (RFC 5280, 5.3.1)."""

_FITTING = Signature()
_VERSION_2 = der.integer(1)


class RevokedCertificate(NamedTuple):
    """An entry: the serial, the instant of the revocation, the reason code's name, further extensions.

    A tuple, since there can be a million of them.
    """

    serial: int
    at: datetime
    reason: str
    extensions: tuple[Extension, ...] = ()

    @property
    def code(self) -> int:
        """The reason code's number."""
        return REASON_CODES[self.reason]


@dataclass(frozen=True, slots=True)
class CertificateListPlan:
    """What a CRL says, apart from its entries. ``number`` is the CRL number (5.2.3).

    ``extensions`` follow those that every CRL has.
    """

    issuer: Name
    key_identifier: bytes
    number: int
    this_update: datetime
    next_update: datetime
    signature: Signature = _FITTING
    extensions: tuple[Extension, ...] = ()


def certificate_list(
    plan: CertificateListPlan,
    entries: Iterable[RevokedCertificate],
    key: PrivateKey,
    entropy: Entropy | None = None,
    edits: tuple[Edit, ...] = (),
) -> bytes:
    """A complete CRL of version 2 in DER, signed; entries stand in the order given.

    An unspecified reason is left out, as 5.3.1 asks; without entries the list itself is, as 5.1.2.6
    asks.
    """
    algorithm = signature_algorithm(key, plan.signature)
    revoked = b"".join(map(_entry, entries))
    extensions = der.sequence(
        _extension(AUTHORITY_KEY_IDENTIFIER, der.sequence(der.tlv(0x80, plan.key_identifier))),
        _extension(CRL_NUMBER, der.integer(plan.number)),
        *_encoded(plan.extensions),
    )
    tbs = der.sequence(
        _VERSION_2,
        algorithm,
        names.encode(plan.issuer),
        der.time(plan.this_update),
        der.time(plan.next_update),
        *((der.sequence(revoked),) if revoked else ()),
        der.explicit(0, extensions),
    )
    tbs = edited(tbs, edits, signed=True)
    signature = sign(key, tbs, plan.signature, entropy)
    return edited(der.sequence(tbs, algorithm, der.bit_string(signature)), edits, signed=False)


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    flag = (der.boolean(True),) if critical else ()
    return der.sequence(der.oid(oid), *flag, der.octet_string(value))


def _encoded(extensions: tuple[Extension, ...]) -> tuple[bytes, ...]:
    """Extensions whose values are known: those of CRLs do not wait for a key."""
    return tuple(
        _extension(one.oid, one.value, critical=one.critical)
        for one in extensions
        if isinstance(one.value, bytes)
    )


def _entry(entry: RevokedCertificate) -> bytes:
    extensions = _entry_extensions(entry.reason, entry.extensions)
    return der.sequence(der.integer(entry.serial), der.time(entry.at), *extensions)


@lru_cache(maxsize=64)
def _entry_extensions(reason: str, others: tuple[Extension, ...]) -> tuple[bytes, ...]:
    """CRLEntryExtensions, or nothing; most are those of many entries."""
    code = REASON_CODES[reason]
    found = (_extension(CRL_REASON, der.tlv(0x0A, bytes((code,)))),) if code else ()
    found = (*found, *_encoded(others))
    return (der.sequence(*found),) if found else ()
