"""Which certificate is the end entity's, and which way leads from it up to a root.

By names and key identifiers, as files are put in order; nothing is judged. Only where these leave a
choice is a signature looked at.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from pkigen.asn1 import names
from pkigen.errors import InputError, Refused
from pkigen.keys.verify import is_signed_by
from pkigen.x509 import Certificate, Malformed, PublicKey
from pkigen.x509.public_key import same_key

T = TypeVar("T")
_MOST_LISTED = 8
_MOST_CHECKED = 16
"""Authorities of one name whose signatures are tried; more of them are no PKI but an attack."""


def find_leaf(certificates: Sequence[Certificate], keys: Sequence[PublicKey] = ()) -> Certificate:
    """The certificate that the others are there for.

    With keys the one that belongs to one of them (Refused when none does), else the one that issued
    none of the others. Where several are left, that of an end entity is meant; InputError lists them
    when there is more than one, or none at all.
    """
    certificates = tuple(dict.fromkeys(certificates))
    if not certificates:
        raise InputError("there is no certificate")
    if keys:
        found = [one for one in certificates if any(matches_key(one, key) for key in keys)]
        if not found:
            held = "certificate" if len(certificates) == 1 else "certificates"
            raise Refused(f"the key does not belong to the {held}: {listed(certificates)}")
        if len(found) > 1:
            raise InputError(f"the key belongs to several certificates, give one: {listed(found)}")
        return found[0]
    lowest = lowest_of(certificates)
    ends = [one for one in lowest if not one.is_authority]
    for found in (lowest, ends):
        if len(found) == 1:
            return found[0]
    raise InputError(f"several certificates could be meant, give one or its key: {listed(ends or lowest)}")


def order_chain(leaf: Certificate, others: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """The issuing CA of ``leaf``, its issuer, and so on up to a root, without ``leaf``.

    The shortest way that ends at a root; when none does, the longest there is. What is on no such
    way is left out.
    """
    by_subject = _by_subject(others)
    ways: deque[tuple[Certificate, ...]] = deque([(leaf,)])
    met = {leaf}
    longest: tuple[Certificate, ...] = (leaf,)
    while ways:
        way = ways.popleft()
        longest = max(longest, way, key=len)
        if is_root(way[-1]):
            return way[1:]
        for issuer in _issuers(way[-1], by_subject):
            if issuer not in met:
                met.add(issuer)
                ways.append((*way, issuer))
    return longest[1:]


def lowest_of(certificates: Sequence[Certificate]) -> list[Certificate]:
    """Those that issued none of the others; all of them when they issued each other in a circle."""
    by_subject = _by_subject(certificates)
    issuers = {issuer for one in certificates for issuer in _issuers(one, by_subject)}
    return [one for one in certificates if one not in issuers] or list(certificates)


def matches_key(certificate: Certificate, key: PublicKey) -> bool:
    """Whether the public keys are the same, however their algorithm and their point are written."""
    return same_key(certificate.subject_public_key_info, key.der)


def is_root(certificate: Certificate) -> bool:
    """Whether a way up ends here: issuer and subject are the same, and so are the keys, if told."""
    return certificate.is_self_issued and _identified(certificate, certificate)


def listed(certificates: Sequence[Certificate]) -> str:
    """Certificates in one line, by subject and serial number."""
    shown = "; ".join(describe(one) for one in certificates[:_MOST_LISTED])
    more = len(certificates) - _MOST_LISTED
    return f"{shown}; and {more} more" if more > 0 else shown


def describe(certificate: Certificate) -> str:
    """The subject and the serial number, for people."""
    subject = _read(lambda: names.text(certificate.subject)) or "(no readable subject)"
    serial = _read(lambda: f" (serial {certificate.serial:x})") or ""
    return " ".join(f"{subject}{serial}".split())


def _by_subject(certificates: Iterable[Certificate]) -> Mapping[object, list[Certificate]]:
    found = defaultdict(list)
    for one in dict.fromkeys(certificates):
        found[one.normalized_subject].append(one)
    return found


def _issuers(certificate: Certificate, by_subject: Mapping[object, list[Certificate]]) -> list[Certificate]:
    """Those that may have issued a certificate, itself not among them, the newest first."""
    if is_root(certificate):
        return []
    named = [one for one in by_subject.get(certificate.normalized_issuer, ()) if one != certificate]
    found = [one for one in named if _identified(certificate, one)]
    if len(found) != 1 and len(named) <= _MOST_CHECKED:
        signed = [one for one in found or named if is_signed_by(certificate, one)]
        found = signed or found
    return sorted(found, key=_end, reverse=True)


def _identified(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether no key identifier speaks against an issuer (RFC 5280, 4.2.1.1)."""
    asked, held = _asked(certificate), _held(issuer)
    return asked is None or held is None or asked == held


@lru_cache(maxsize=4096)
def _asked(certificate: Certificate) -> bytes | None:
    found = _read(lambda: certificate.extensions.authority_key_identifier)
    return None if found is None else found.key_identifier


@lru_cache(maxsize=4096)
def _held(certificate: Certificate) -> bytes | None:
    return _read(lambda: certificate.extensions.subject_key_identifier)


def _end(certificate: Certificate) -> datetime:
    return _read(lambda: certificate.not_after) or datetime.min.replace(tzinfo=UTC)


def _read(field: Callable[[], T]) -> T | None:
    """A field of a certificate, None when it cannot be read."""
    try:
        return field()
    except Malformed:
        return None
