"""DER, one tag-length-value at a time (X.690, 8.1 and 10.1).

Nothing here validates: what is asked for is what is written, since faulty output is as much a
product as sound output. Every function takes and gives the bytes of whole TLVs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8_STRING, PRINTABLE_STRING, TELETEX_STRING, IA5_STRING = 0x0C, 0x13, 0x14, 0x16
UTC_TIME, GENERALIZED_TIME, UNIVERSAL_STRING, BMP_STRING = 0x17, 0x18, 0x1C, 0x1E
SEQUENCE, SET = 0x30, 0x31

_LONGEST_OID = 1024
_STRING_CODECS = {BMP_STRING: "utf-16-be", UNIVERSAL_STRING: "utf-32-be", TELETEX_STRING: "latin-1"}


def tlv(tag: int, *contents: bytes) -> bytes:
    """One TLV: the tag octet, the definite length in its shortest form, the contents joined."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + body


def sequence(*elements: bytes) -> bytes:
    """SEQUENCE (OF) in the order given."""
    return tlv(SEQUENCE, *elements)


def set_of(*elements: bytes) -> bytes:
    """SET OF, sorted as DER wants it (X.690, 11.6)."""
    return tlv(SET, *sorted(elements))


def explicit(number: int, *elements: bytes) -> bytes:
    """[number] EXPLICIT: a constructed context-specific tag around whole TLVs."""
    return tlv(0xA0 | number, *elements)


def integer(value: int) -> bytes:
    """INTEGER in two's complement of the fewest octets, negative ones included."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return tlv(INTEGER, value.to_bytes(size, "big", signed=True))


def boolean(value: bool) -> bytes:
    """BOOLEAN; TRUE is ff (X.690, 11.1)."""
    return b"\x01\x01\xff" if value else b"\x01\x01\x00"


def null() -> bytes:
    """NULL."""
    return b"\x05\x00"


def octet_string(value: bytes) -> bytes:
    """OCTET STRING, primitive."""
    return tlv(OCTET_STRING, value)


def bit_string(value: bytes, unused: int = 0) -> bytes:
    """BIT STRING, primitive; ``unused`` counts the bits of the last octet that do not belong."""
    return tlv(BIT_STRING, bytes((unused,)), value)


def named_bits(names: Iterable[str], bits: tuple[str, ...]) -> bytes:
    """BIT STRING of named bits, without trailing zero bits (X.690, 11.2.2); at most 16 of them."""
    value = sum(1 << (15 - bits.index(name)) for name in set(names))
    if not value:
        return bit_string(b"")
    low = (value & -value).bit_length() - 1
    octets = value.to_bytes(2, "big")
    return bit_string(octets[:1], low - 8) if low >= 8 else bit_string(octets, low)


@lru_cache(maxsize=1024)
def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form (X.690, 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    body = bytearray()
    for arc in (first * 40 + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(0x80 | arc & 0x7F)
        body += bytes(reversed(octets))
    return tlv(OID, bytes(body))


def string(tag: int, value: str) -> bytes:
    """A character string of the given type; characters it cannot hold raise UnicodeEncodeError."""
    if tag in (PRINTABLE_STRING, IA5_STRING):
        return tlv(tag, value.encode("ascii"))
    return tlv(tag, value.encode(_STRING_CODECS.get(tag, "utf-8")))


@lru_cache(maxsize=64)
def time(instant: datetime) -> bytes:
    """Time: UTCTime through 2049, GeneralizedTime from 2050 and before 1950 (RFC 5280, 4.1.2.5)."""
    utc = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    if 1950 <= utc.year < 2050:
        digits = (utc.year % 100, utc.month, utc.day, utc.hour, utc.minute, utc.second)
        return tlv(UTC_TIME, b"%02d%02d%02d%02d%02d%02dZ" % digits)
    return tlv(GENERALIZED_TIME, f"{utc.year:04}{utc:%m%d%H%M%S}Z".encode())


def read(data: bytes, offset: int = 0) -> tuple[int, int, int]:
    """The TLV at ``offset``: its tag octet, where its contents start and where they end.

    Only low tag numbers and definite lengths; a TLV that runs past the data raises ValueError.
    """
    try:
        tag, size = data[offset], data[offset + 1]
        start = offset + 2
        if tag & 0x1F == 0x1F or size == 0x80:
            raise ValueError(f"a tag of many octets, or no definite length, at offset {offset}")
        if size > 0x80:
            start += size & 0x7F
            size = int.from_bytes(data[offset + 2 : start], "big")
    except IndexError:
        raise ValueError(f"no TLV at offset {offset}") from None
    if start + size > len(data):
        raise ValueError(f"the TLV at offset {offset} runs past the end")
    return tag, start, start + size


def children(data: bytes) -> list[bytes]:
    """The TLVs inside the one constructed TLV that ``data`` is."""
    _, position, end = read(data)
    found = []
    while position < end:
        _, _, following = read(data, position)
        if following > end:
            raise ValueError(f"the TLV at offset {position} runs past the one around it")
        found.append(data[position:following])
        position = following
    return found


def contents(data: bytes) -> bytes:
    """The contents octets of the one TLV that ``data`` is."""
    _, start, end = read(data)
    return data[start:end]


def dotted(data: bytes) -> str:
    """The dotted form of the OBJECT IDENTIFIER that ``data`` is (X.690, 8.19)."""
    arcs, arc, octets = list[int](), 0, contents(data)
    if len(octets) > _LONGEST_OID:
        raise ValueError(f"an object identifier of {len(octets)} octets")
    for octet in octets:
        arc = arc << 7 | octet & 0x7F
        if octet < 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs:
        raise ValueError("an object identifier without an arc")
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def edit(data: bytes, path: tuple[int, ...], change: Callable[[bytes], bytes]) -> bytes:
    """``data`` with the TLV that child indices lead to changed; lengths above it follow.

    The children of a BIT STRING and of an OCTET STRING are the TLVs that it wraps. ``change`` gives
    any number of TLVs for the one it gets; IndexError when there is none.
    """
    if not path:
        return change(data)
    unused = contents(data)[:1] if data[0] == BIT_STRING else b""
    parts = children(tlv(SEQUENCE, contents(data)[len(unused) :]))
    parts[path[0]] = edit(parts[path[0]], path[1:], change)
    return tlv(data[0], unused, *parts)
