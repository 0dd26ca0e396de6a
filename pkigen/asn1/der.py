"""DER encoding, one tag-length-value at a time (X.690, 8.1 and 10.1).

The functions do not validate their arguments, because pkigen also writes faulty structures. They accept and
return the bytes of complete TLVs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING = 0x0C, 0x13, 0x14, 0x16
UTC_TIME, GENERALIZED_TIME, UNIVERSAL_STRING, BMP_STRING = 0x17, 0x18, 0x1C, 0x1E
GENERAL_STRING = 0x1B
SEQUENCE, SET = 0x30, 0x31

_LONGEST_OID = 1024
_STRING_CODECS = {BMP_STRING: "utf-16-be", UNIVERSAL_STRING: "utf-32-be", TELETEX_STRING: "latin-1"}


class InvalidDer(ValueError):
    """Data that is not DER; the message is for people."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one TLV: the tag byte, the definite length in its shortest form, and the joined contents."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + body


def sequence(*elements: bytes) -> bytes:
    """Return a SEQUENCE (OF) in the given order."""
    return tlv(SEQUENCE, *elements)


def set_of(*elements: bytes) -> bytes:
    """Return a SET OF, sorted as DER requires (X.690, 11.6)."""
    return tlv(SET, *sorted(elements))


def explicit(number: int, *elements: bytes) -> bytes:
    """Return [number] EXPLICIT: a constructed context-specific tag around complete TLVs."""
    return tlv(0xA0 | number, *elements)


def integer(value: int) -> bytes:
    """Return an INTEGER, also a negative one, in two's complement with the fewest bytes."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(INTEGER, value.to_bytes(size, "big", signed=True))


def boolean(value: bool) -> bytes:
    """Return a BOOLEAN; TRUE is ff (X.690, 11.1)."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def null() -> bytes:
    """Return NULL."""
    return b"\x05\x00"


def octet_string(value: bytes) -> bytes:
    """Return a primitive OCTET STRING."""
    return tlv(OCTET_STRING, value)


def bit_string(value: bytes, unused: int = 0) -> bytes:
    """Return a primitive BIT STRING; ``unused`` is the number of unused bits in the last byte."""
    return tlv(BIT_STRING, bytes((unused,)), value)


def named_bits(names: Iterable[str], bits: tuple[str, ...]) -> bytes:
    """Return a BIT STRING of at most 16 named bits, without trailing zero bits (X.690, 11.2.2)."""
    value = sum(1 << (15 - bits.index(name)) for name in set(names))
    if not value:
        return bit_string(b"")
    low = (value & -value).bit_length() - 1
    octets = value.to_bytes(2, "big")
    return bit_string(octets[:1], low - 8) if low >= 8 else bit_string(octets, low)


@lru_cache(maxsize=1024)
def oid(dotted: str) -> bytes:
    """Return the OBJECT IDENTIFIER for a dotted form (X.690, 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    body = bytearray()
    for arc in (first * 40 + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(0x80 | arc & 0x7F)
        body += bytes(reversed(octets))
    return tlv(OID, bytes(body))


def string(tag: int, value: str) -> bytes:
    """Return a character string of a type; raise UnicodeEncodeError for characters that the type excludes."""
    if tag in (PRINTABLE_STRING, IA5_STRING):
        return tlv(tag, value.encode("ascii"))
    return tlv(tag, value.encode(_STRING_CODECS.get(tag, "utf-8")))


@lru_cache(maxsize=64)
def time(instant: datetime) -> bytes:
    """Return a Time: UTCTime for 1950 through 2049, otherwise GeneralizedTime (RFC 5280, 4.1.2.5)."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        digits = (utc.year % 100, utc.month, utc.day, utc.hour, utc.minute, utc.second)
        return tlv(UTC_TIME, b"%02d%02d%02d%02d%02d%02dZ" % digits)
    return tlv(GENERALIZED_TIME, f"{utc.year:04}{utc:%m%d%H%M%S}Z".encode())


LONG_FORM = 0x82
"""Length and header size of a TLV that is too long for a length of one byte."""


def read(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """Return the tag byte of the TLV at ``offset``, and the start and end of its contents.

    Supports only low tag numbers and definite lengths. Raises ValueError for a TLV that exceeds the data.
    """
    try:
        tag, size = data[offset], data[offset + 1]
        start = offset + 2
        if tag & 0x1F == 0x1F or size == 0x80:
            raise InvalidDer(f"a tag of several bytes, or no definite length, at offset {offset}")
        if size > 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[offset + 2 : start], "big")
    except IndexError:
        raise InvalidDer(f"no TLV at offset {offset}") from None
    if start + size > len(data):
        raise InvalidDer(f"the TLV at offset {offset} runs past the end")
    return tag, start, start + size


def children(data: bytes) -> list[bytes]:
    """Return the TLVs inside a constructed TLV."""
    _, position, end = read(data)
    elements = []
    while position < end:
        # Most TLVs have one byte of tag and one of length; a call for each is most of the time of reading.
        if position + 1 < end and data[position] & 0x1F != 0x1F and (size := data[position + 1]) < 0x80:
            following = position + 2 + size
        else:
            following = end + 1
        if following > end:
            _, _, following = read(data, position)
        if following > end:
            raise InvalidDer(f"the TLV at offset {position} runs past the one around it")
        elements.append(data[position:following])
        position = following
    return elements


def contents(data: bytes) -> bytes:
    """Return the contents of a TLV."""
    if len(data) >= 2 and data[0] & 0x1F != 0x1F and len(data) == data[1] + 2 < LONG_FORM:
        return data[2:]
    _, start, end = read(data)
    return data[start:end]


def dotted(data: bytes) -> str:
    """Return the dotted form of an encoded OBJECT IDENTIFIER (X.690, 8.19)."""
    arcs, arc, octets = list[int](), 0, contents(data)
    if len(octets) > _LONGEST_OID:
        raise InvalidDer(f"an object identifier of {len(octets)} bytes")
    for octet in octets:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs:
        raise InvalidDer("an incomplete object identifier")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def edit(data: bytes, path: tuple[int, ...], change: Callable[[bytes], bytes]) -> bytes:
    """Return ``data`` with one TLV changed, and with the lengths of the enclosing TLVs adjusted.

    ``path`` consists of child indices. The children of a BIT STRING and of an OCTET STRING are the TLVs
    that it wraps. ``change`` maps the TLV to any number of TLVs. Raises IndexError if the TLV does not
    exist.
    """
    if not path:
        return change(data)
    unused = contents(data)[:1] if data[0] == BIT_STRING else b""
    parts = children(tlv(SEQUENCE, contents(data)[len(unused) :]))
    parts[path[0]] = edit(parts[path[0]], path[1:], change)
    return tlv(data[0], unused, *parts)
