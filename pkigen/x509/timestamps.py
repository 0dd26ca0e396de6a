"""Decodes signed certificate timestamps (SCTs) of certificate transparency logs (RFC 6962, 3.2 and 3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2s

from pkigen.asn1 import der, oids
from pkigen.x509.certificate import Certificate
from pkigen.x509.decode import Malformed, decoder, elements, expect, integer

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""The earliest time of an SCT."""
_LOG_ID = slice(1, 33)
_TIMESTAMP = slice(33, 41)
_SIGNATURE = 47
"""The start of the signature in an SCT without extensions."""


def scts(value: bytes) -> list[bytes]:
    """Return the entries of a SignedCertificateTimestampList, each after a length of two bytes."""
    data = expect(value, der.OCTET_STRING, "the list of timestamps")
    position, entries = 2, list[bytes]()
    while position < len(data):
        start = position + 2
        position = start + int.from_bytes(data[position:start], "big")
        entries.append(data[start:position])
    return entries


def sct_list(entries: Iterable[bytes]) -> bytes:
    """Return the value of the extension with these SCTs."""
    return der.octet_string(_counted(b"".join(map(_counted, entries))))


def sct(log_id: bytes, at: datetime, signature: bytes) -> bytes:
    """Return an SCT of version 1 without extensions; the signature is by ECDSA with SHA-256.

    Raises ValueError for a time before 1970.
    """
    if at < BEGINNING:
        raise ValueError(f"a signed certificate timestamp of {at:%Y-%m-%d} is before {BEGINNING.year}")
    milliseconds = (at - BEGINNING) // timedelta(milliseconds=1)
    return b"\x00" + log_id + milliseconds.to_bytes(8, "big") + b"\x00\x00\x04\x03" + _counted(signature)


def invented_signature(seed: bytes) -> bytes:
    """Return an ECDSA signature that no key made: its second number is a hash of the first."""
    numbers = [blake2s(seed).digest()]
    numbers.append(blake2s(numbers[0]).digest())
    return der.sequence(*(der.integer(int.from_bytes(number, "big")) for number in numbers))


def undated(value: bytes) -> bytes:
    """Return the value of the extension without the times of its SCTs with an invented signature.

    Returns a malformed value unchanged.
    """
    try:
        timestamps(value)
    except Malformed:
        return value
    return sct_list(map(_without_time, scts(value)))


def _without_time(entry: bytes) -> bytes:
    return entry[: _TIMESTAMP.start] + entry[_TIMESTAMP.stop :] if _is_invented(entry) else entry


def _is_invented(entry: bytes) -> bool:
    try:
        first, second = (integer(one, "") for one in elements(entry[_SIGNATURE:], ""))
        return int.from_bytes(blake2s(first.to_bytes(32, "big")).digest(), "big") == second
    except (ValueError, OverflowError):
        return False


@decoder("the list of timestamps")
def timestamps(value: bytes) -> list[tuple[bytes, datetime]]:
    """Return the log ID and the time of each SCT; Malformed if an entry is incomplete."""
    data = expect(value, der.OCTET_STRING, "the list of timestamps")
    entries = scts(value)
    if len(data) != 2 + sum(2 + len(one) for one in entries) or data[:2] != (len(data) - 2).to_bytes(
        2, "big"
    ):
        raise Malformed("the lengths in the list of timestamps do not fit together")
    if any(len(one) < _TIMESTAMP.stop for one in entries):
        raise Malformed("a timestamp is incomplete")
    return [(one[_LOG_ID], _time(int.from_bytes(one[_TIMESTAMP], "big"))) for one in entries]


def latest_timestamp(certificate: Certificate) -> datetime | None:
    """Return the time of the latest embedded SCT, which precedes the signature; None if there is none."""
    try:
        entries = certificate.extensions.get(oids.SIGNED_CERTIFICATE_TIMESTAMPS, timestamps)
    except Malformed:
        return None
    return max((at for _, at in entries or ()), default=None)


def _counted(data: bytes) -> bytes:
    return len(data).to_bytes(2, "big") + data


def _time(milliseconds: int) -> datetime:
    return BEGINNING + timedelta(milliseconds=milliseconds)
