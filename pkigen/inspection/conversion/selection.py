"""Finds the end-entity certificate among several, and orders the chain from it up to a root.

Uses names and key identifiers, and validates nothing; signatures only decide between several candidates.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from pkigen.asn1 import names
from pkigen.errors import InputError, Refused
from pkigen.keys.verify import is_signed_by, may_be_self_signed
from pkigen.x509 import Certificate, Malformed, PublicKey
from pkigen.x509.public_key import same_key

T = TypeVar("T")
_MOST_LISTED = 8
_MOST_CHECKED = 16
"""Maximum number of CAs with the same name whose signatures are verified, to limit the work."""


def find_leaf(certificates: Sequence[Certificate], keys: Sequence[PublicKey] = ()) -> Certificate:
    """Return the certificate that the other certificates are the chain of.

    With ``keys``, this is the certificate of one of the keys (Refused if there is none); otherwise, the
    certificate that issued none of the others, preferably of an end entity. Raises InputError if there is no
    certificate, or several candidates.
    """
    certificates = tuple(dict.fromkeys(certificates))
    if not certificates:
        raise InputError("there is no certificate")
    if keys:
        matches = [one for one in certificates if any(matches_key(one, key) for key in keys)]
        if not matches:
            noun = "certificate" if len(certificates) == 1 else "certificates"
            raise Refused(f"the key does not belong to the {noun}: {listed(certificates)}")
        if len(matches) > 1:
            raise InputError(f"the key belongs to several certificates; specify one of {listed(matches)}")
        return matches[0]
    lowest = lowest_of(certificates)
    ends = [one for one in lowest if not one.is_authority]
    for candidates in (lowest, ends):
        if len(candidates) == 1:
            return candidates[0]
    raise InputError(f"ambiguous input; specify one certificate or its key: {listed(ends or lowest)}")


def order_chain(leaf: Certificate, others: Sequence[Certificate]) -> tuple[Certificate, ...]:
    """Return the chain of ``leaf`` from its issuing CA up to a root, without ``leaf``.

    This is the shortest path that ends at a root, or else the longest path. Other certificates are omitted.
    """
    by_subject = _by_subject(others)
    paths: deque[tuple[Certificate, ...]] = deque([(leaf,)])
    seen = {leaf}
    longest: tuple[Certificate, ...] = (leaf,)
    while paths:
        path = paths.popleft()
        longest = max(longest, path, key=len)
        if may_be_self_signed(path[-1]):
            return path[1:]
        for issuer in _issuers(path[-1], by_subject):
            if issuer not in seen:
                seen.add(issuer)
                paths.append((*path, issuer))
    return longest[1:]


def lowest_of(certificates: Sequence[Certificate]) -> list[Certificate]:
    """Return the certificates that issued none of the others; all of them if they issued each other."""
    by_subject = _by_subject(certificates)
    issuers = {issuer for one in certificates for issuer in _issuers(one, by_subject)}
    return [one for one in certificates if one not in issuers] or list(certificates)


def matches_key(certificate: Certificate, key: PublicKey) -> bool:
    """Return whether a certificate has a key, regardless of the encoding of its algorithm and point."""
    return same_key(certificate.subject_public_key_info, key.der)


def listed(certificates: Sequence[Certificate]) -> str:
    """Return certificates in one line, by subject and serial number."""
    text = "; ".join(describe(one) for one in certificates[:_MOST_LISTED])
    more = len(certificates) - _MOST_LISTED
    return f"{text}; and {more} more" if more > 0 else text


def describe(certificate: Certificate) -> str:
    """Return the subject and the serial number of a certificate, for a message."""
    subject = _read(lambda: names.text(certificate.subject)) or "(no readable subject)"
    serial = _read(lambda: f" (serial {certificate.serial:x})") or ""
    return " ".join(f"{subject}{serial}".split())


def _by_subject(certificates: Iterable[Certificate]) -> Mapping[object, list[Certificate]]:
    by_subject = defaultdict(list)
    for one in dict.fromkeys(certificates):
        by_subject[one.normalized_subject].append(one)
    return by_subject


def _issuers(certificate: Certificate, by_subject: Mapping[object, list[Certificate]]) -> list[Certificate]:
    """Return the certificates that may have issued a certificate, the newest first, without itself."""
    if may_be_self_signed(certificate):
        return []
    named = [one for one in by_subject.get(certificate.normalized_issuer, ()) if one != certificate]
    issuers = [one for one in named if _key_ids_agree(certificate, one)]
    if len(issuers) != 1 and len(named) <= _MOST_CHECKED:
        signed = [one for one in issuers or named if is_signed_by(certificate, one)]
        issuers = signed or issuers
    return sorted(issuers, key=_end, reverse=True)


def _key_ids_agree(certificate: Certificate, issuer: Certificate) -> bool:
    """Return whether the key identifiers of a certificate and its issuer agree (RFC 5280, 4.2.1.1)."""
    expected, actual = _authority_key_id(certificate), _subject_key_id(issuer)
    return expected is None or actual is None or expected == actual


@lru_cache(maxsize=4096)
def _authority_key_id(certificate: Certificate) -> bytes | None:
    extension = _read(lambda: certificate.extensions.authority_key_identifier)
    return None if extension is None else extension.key_identifier


@lru_cache(maxsize=4096)
def _subject_key_id(certificate: Certificate) -> bytes | None:
    return _read(lambda: certificate.extensions.subject_key_identifier)


def _end(certificate: Certificate) -> datetime:
    return _read(lambda: certificate.not_after) or datetime.min.replace(tzinfo=UTC)


def _read(field: Callable[[], T]) -> T | None:
    """Return a field of a certificate; None if it cannot be decoded."""
    try:
        return field()
    except Malformed:
        return None
