"""Values out of single TLVs; what does not hold what it should raises Malformed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import ParamSpec, TypeVar

from pkigen.asn1 import der, names
from pkigen.model import Name

LONGEST_INTEGER = 1700
"""Octets; of much longer ones Python makes no decimals."""

P = ParamSpec("P")
R = TypeVar("R")


class Malformed(ValueError):
    """Octets that are not what their place in the structure asks for."""


def decoder(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Whatever goes wrong while octets are read is Malformed, and says what they should have been."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Malformed:
                raise
            except (ValueError, IndexError, OverflowError) as error:
                raise Malformed(f"{what} cannot be read: {error}") from error

        return checked

    return decorate


def expect(data: bytes, tag: int, what: str) -> bytes:
    """The contents of a TLV that must have a tag and must end where ``data`` does."""
    try:
        found, start, end = der.read(data)
    except ValueError as error:
        raise Malformed(f"{what} cannot be read: {error}") from error
    if found != tag:
        raise Malformed(f"{what} has the tag {found:02x} instead of {tag:02x}")
    if end != len(data):
        raise Malformed(f"{what} is followed by {len(data) - end} octets that do not belong")
    return data[start:end]


def elements(data: bytes, what: str, tag: int = der.SEQUENCE) -> list[bytes]:
    """The elements of a SEQUENCE, or of another constructed type."""
    expect(data, tag, what)
    try:
        return der.children(data)
    except ValueError as error:
        raise Malformed(f"{what} cannot be read: {error}") from error


def integer(data: bytes, what: str, longest: int = LONGEST_INTEGER) -> int:
    """An INTEGER; one without octets is malformed (X.690, 8.3.1), one of very many is taken for it."""
    octets = expect(data, der.INTEGER, what)
    if not octets:
        raise Malformed(f"{what} is an INTEGER without octets")
    if len(octets) > longest:
        raise Malformed(f"{what} is an INTEGER of {len(octets):,} octets")
    return int.from_bytes(octets, "big", signed=True)


def boolean(data: bytes, what: str) -> bool:
    """A BOOLEAN."""
    return expect(data, der.BOOLEAN, what) != b"\x00"


def whole_octets(data: bytes, what: str) -> bytes:
    """The octets of a BIT STRING that has no others than whole ones."""
    octets = expect(data, der.BIT_STRING, what)
    if octets[:1] != b"\0":
        raise Malformed(f"{what} is not a number of whole octets")
    return octets[1:]


def bits(octets: bytes, names: tuple[str, ...]) -> tuple[str, ...]:
    """The names of the bits that are set in a BIT STRING's contents."""
    if not octets:
        raise Malformed("a BIT STRING without octets")
    value = "".join(f"{octet:08b}" for octet in octets[1:])
    return tuple(name for name, bit in zip(names, value, strict=False) if bit == "1")


def time(data: bytes, what: str) -> datetime:
    """A Time in UTC, in the one form that RFC 5280, 4.1.2.5 allows of each type."""
    text = der.contents(data).decode("ascii")
    if data[0] == der.UTC_TIME and len(text) == 13:
        text = ("19" if text >= "50" else "20") + text
    elif data[0] != der.GENERALIZED_TIME or len(text) != 15:
        raise Malformed(f"{what} is no UTCTime or GeneralizedTime that RFC 5280 allows")
    if not (text.isascii() and text[:14].isdigit()) or text[14] != "Z":
        raise Malformed(f"{what} is '{text}', which is no time")
    year, *rest = int(text[:4]), *(int(text[start : start + 2]) for start in range(4, 14, 2))
    month, day, hour, minute, second = rest
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


@lru_cache(maxsize=4096)
def normalized_name(data: bytes) -> Hashable:
    """Return a Name in the form that is compared (RFC 5280, 7.1); the DER if it cannot be decoded."""
    try:
        return names.normalized(decoder("the name")(name)(data, "the name"))
    except Malformed:
        return data


def name(data: bytes, what: str) -> Name:
    """A Name; each of its attributes is a pair."""
    expect(data, der.SEQUENCE, what)
    return names.decode(data)
