"""Encodes CRLs (RFC 5280, section 5) and their extensions, in time and memory linear in the entries."""

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
from pkigen.model import REASON_CODES, Edit, Extension, Name, Signature

_TRUE = b"\xff"
_URI = 0x86


def issuing_distribution_point(url: str, *, reasons: Sequence[str] = (), indirect: bool = False) -> Extension:
    """Return an IssuingDistributionPoint (5.2.5), critical, for certificates whose CRL URL is ``url``.

    ``reasons`` are the names of the ReasonFlags that the CRL covers; empty means all reasons.
    """
    return crl_scope(der.explicit(0, _full_name(url)), reasons=reasons, indirect=indirect)


def crl_scope(
    name: bytes,
    *,
    only: str | None = None,
    reasons: Sequence[str] = (),
    indirect: bool = False,
    critical: bool = True,
) -> Extension:
    """Return an IssuingDistributionPoint with the field ``name`` in DER (empty if it has none).

    ``only`` is the kind of certificates that the CRL covers: user, ca or attribute.
    """
    parts = [name]
    if only in ("user", "ca"):
        parts.append(der.tlv(0x81 if only == "user" else 0x82, _TRUE))
    if reasons:
        parts.append(der.tlv(0x83, der.contents(der.named_bits(tuple(reasons), oids.REASON_FLAGS))))
    if indirect:
        parts.append(der.tlv(0x84, _TRUE))
    if only == "attribute":
        parts.append(der.tlv(0x85, _TRUE))
    return Extension(oids.ISSUING_DISTRIBUTION_POINT, critical, der.sequence(*parts))


def freshest_crl(url: str) -> Extension:
    """Return a FreshestCRL (5.2.6): the URL of the delta CRL."""
    point = der.sequence(der.explicit(0, _full_name(url)))
    return Extension(oids.FRESHEST_CRL, False, der.sequence(point))


def delta_indicator(base: int) -> Extension:
    """Return a DeltaCRLIndicator (5.2.4), critical, with the number of the base CRL."""
    return Extension(oids.DELTA_CRL_INDICATOR, True, der.integer(base))


def invalidity_date(instant: datetime) -> Extension:
    """Return an InvalidityDate (5.3.2): the time since which the key is believed to be compromised."""
    utc = instant.astimezone(UTC)
    text = f"{utc.year:04}{utc:%m%d%H%M%S}Z"
    return Extension(oids.INVALIDITY_DATE, False, der.tlv(der.GENERALIZED_TIME, text.encode()))


def certificate_issuer(name: bytes) -> Extension:
    """Return a CertificateIssuer (5.3.3), critical, which applies to its entry and those that follow.

    ``name`` is the issuing CA's Name in DER.
    """
    return Extension(oids.CERTIFICATE_ISSUER, True, der.sequence(der.explicit(4, name)))


def _full_name(url: str) -> bytes:
    return der.tlv(0xA0, der.tlv(_URI, url.encode("ascii")))


_DEFAULT_SIGNATURE = Signature()
_VERSION_2 = der.integer(1)


class RevokedCertificate(NamedTuple):
    """A CRL entry: serial number, revocation date, name of the reason code, further extensions.

    A tuple, since a CRL can contain a million of them.
    """

    serial: int
    at: datetime
    reason: str
    extensions: tuple[Extension, ...] = ()

    @property
    def code(self) -> int:
        """The number of the reason code."""
        return REASON_CODES[self.reason]


@dataclass(frozen=True, slots=True)
class CertificateListPlan:
    """A CRL without its entries; ``number`` is the CRL number (5.2.3).

    ``extensions`` follow the mandatory ones.
    """

    issuer: Name
    key_identifier: bytes
    number: int
    this_update: datetime
    next_update: datetime
    signature: Signature = _DEFAULT_SIGNATURE
    extensions: tuple[Extension, ...] = ()


def certificate_list(
    plan: CertificateListPlan,
    entries: Iterable[RevokedCertificate],
    key: PrivateKey,
    entropy: Entropy | None = None,
    edits: tuple[Edit, ...] = (),
) -> bytes:
    """Return a signed CRL of version 2 in DER, with the entries in the given order.

    Omits an unspecified reason, as section 5.3.1 requires, and the list if it is empty, as section 5.1.2.6
    requires.
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
    """Encode extensions; those of CRLs never contain a placeholder for a key identifier."""
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
    """Return the CRLEntryExtensions, if any; cached, since many entries have the same."""
    code = REASON_CODES[reason]
    reason_code = (_extension(CRL_REASON, der.tlv(0x0A, bytes((code,)))),) if code else ()
    extensions = (*reason_code, *_encoded(others))
    return (der.sequence(*extensions),) if extensions else ()
