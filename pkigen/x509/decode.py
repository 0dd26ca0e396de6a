"""Decodes single TLVs; raises Malformed for those that do not have the expected structure."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from pkigen.asn1 import der, names
from pkigen.model import Name

LONGEST_INTEGER = 1700
"""Maximum length of an INTEGER in bytes; Python does not convert much longer ones to decimal."""
P = ParamSpec("P")
R = TypeVar("R")


class Malformed(ValueError):
    """Bytes that do not match the structure that is expected; the message is for people."""


def decoder(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Convert every error in a function that reads ``what`` to Malformed, without Python's own messages."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Malformed:
                raise
            except (ValueError, LookupError, OverflowError) as error:
                raise Malformed(f"{what} cannot be read: {_reason(error)}") from error

        return checked

    return decorate


def _reason(error: Exception) -> str:
    if isinstance(error, der.InvalidDer):
        return str(error)
    if isinstance(error, UnicodeError):
        return "it contains text that is invalid in its encoding"
    return "an element is missing, superfluous, or has an invalid value"


def expect(data: bytes, tag: int, what: str) -> bytes:
    """Return the contents of a TLV that must have a tag and must end where ``data`` does."""
    # Most TLVs have one byte of tag and one of length; a call for each is most of the time of reading.
    if len(data) >= 2 and data[0] == tag and len(data) == data[1] + 2 < der.LONG_FORM:
        return data[2:]
    try:
        actual_tag, start, end = der.read(data)
    except ValueError as error:
        raise Malformed(f"{what} cannot be read: {error}") from error
    if actual_tag != tag:
        raise Malformed(f"{what} has the tag {actual_tag:02x} instead of {tag:02x}")
    if end != len(data):
        raise Malformed(f"{what} is followed by {len(data) - end} extra bytes")
    return data[start:end]


def elements(data: bytes, what: str, tag: int = der.SEQUENCE) -> list[bytes]:
    """Return the elements of a SEQUENCE, or of another constructed type."""
    expect(data, tag, what)
    try:
        return der.children(data)
    except ValueError as error:
        raise Malformed(f"{what} cannot be read: {error}") from error


def integer(data: bytes, what: str, longest: int = LONGEST_INTEGER) -> int:
    """Return an INTEGER; an empty (X.690, 8.3.1) or very long one is malformed."""
    octets = expect(data, der.INTEGER, what)
    if not octets:
        raise Malformed(f"{what} is an empty INTEGER")
    if len(octets) > longest:
        raise Malformed(f"{what} is an INTEGER of {len(octets):,} bytes")
    return int.from_bytes(octets, "big", signed=True)


def boolean(data: bytes, what: str) -> bool:
    """Return a BOOLEAN."""
    return expect(data, der.BOOLEAN, what) != b"\x00"


def whole_bytes(data: bytes, what: str) -> bytes:
    """Return the bytes of a BIT STRING without unused bits."""
    octets = expect(data, der.BIT_STRING, what)
    if octets[:1] != b"\0":
        raise Malformed(f"{what} is not a whole number of bytes")
    return octets[1:]


def bits(octets: bytes, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of the bits that are set in a BIT STRING's contents."""
    if not octets:
        raise Malformed("an empty BIT STRING")
    value = "".join(f"{octet:08b}" for octet in octets[1:])
    return tuple(name for name, bit in zip(names, value, strict=False) if bit == "1")


def time(data: bytes, what: str) -> datetime:
    """Return a Time in UTC, in the one form that RFC 5280, 4.1.2.5 allows for each type."""
    text = der.contents(data).decode("ascii")
    if data[0] == der.UTC_TIME and len(text) == 13:
        text = ("19" if text >= "50" else "20") + text
    elif data[0] != der.GENERALIZED_TIME or len(text) != 15:
        raise Malformed(f"{what} is not a UTCTime or GeneralizedTime in the form that RFC 5280 requires")
    # Some versions of Python read 24:00 as the beginning of the next day.
    if not text[:14].isdigit() or text[14] != "Z" or text[8:10] == "24":
        raise Malformed(f"{what} is '{text}', which is not a time")
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    except ValueError:
        raise Malformed(f"{what} is '{text}', which is not a time") from None


@lru_cache(maxsize=4096)
def normalized_name(data: bytes) -> Hashable:
    """Return a Name in the form that is compared (RFC 5280, 7.1); the DER if it cannot be decoded."""
    try:
        return names.normalized(decoder("the name")(name)(data, "the name"))
    except Malformed:
        return data


def name(data: bytes, what: str) -> Name:
    """Return a Name; each of its attributes is a pair."""
    expect(data, der.SEQUENCE, what)
    return names.decode(data)
