"""Ways to spoil DER as the tree that it is: lengths around a spoiled element are made to fit."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pkigen.asn1 import der
from pkigen.formats import pem

_TAGS = bytes.fromhex("0102030405060a0c1013141617181c1e3031808182a0a1a3bf1f00")
_OF_STRINGS = (0x0C, 0x13, 0x14, 0x16, 0x1C, 0x1E)
_ARCS = tuple(b"\x81" * size + b"\x01" for size in (9, 20, 1000, 1023, 90_000))
_OIDS = (*_ARCS, b"", b"\x80", b"\x80\x01", b"\xff" * 6, b"\x01" * 1000, b"\x2a" + b"\x81\x01" * 40_000)
_INTEGERS = (b"", b"\x00", b"\xff", b"\x00" * 300, b"\x80" + b"\x00" * 20, b"\x7f" * 130, b"\x7f" * 5000)
_ROUNDS = (0, -1, 1, 2048, 100_000, 5_000_000, 10_000_001, 2**31 - 1, 2**31, 2**63, 2**64, 2**200)
_STRINGS = (
    *(b"", b"\x00", b"a\x00b", b"\xff\xfe", b"\xd8\x00", b"\x1b[31m", b"\n", "\u202e".encode()),
    b"x" * 70_000,
)
_TIMES = (
    *(b"99991231235959Z", b"00000101000000Z", b"491231235959Z", b"500101000000Z", b"20261301000000Z"),
    b"Z",
)
_HEADS = (
    *(b"\x80", b"\x80", b"\x00", b"\xff", b"\x84\xff\xff\xff\xff", b"\x88\x7f" + b"\xff" * 7),
    b"\xfe" + b"\x00" * 126,
)
_MOST_LEVELS = 40
_MOST_OCTETS = 200_000


@dataclass
class Element:
    """One TLV: its contents are elements or bytes, which ``before`` precedes in a BIT STRING."""

    tag: int
    octets: bytes = b""
    inside: list[Element] = field(default_factory=list)
    before: bytes = b""
    head: bytes | None = None
    raw: bytes | None = None

    def encoded(self) -> bytes:
        """The TLV; a ``head`` stands for its length, ``raw`` for all of it."""
        if self.raw is not None:
            return self.raw
        body = self.before + b"".join(map(Element.encoded, self.inside)) if self.inside else self.octets
        if self.head is None:
            return der.tlv(self.tag, body)
        return bytes((self.tag,)) + self.head + body + (b"\x00\x00" if self.head == b"\x80" else b"")


Elements = list[Element]
Seeds = Sequence[bytes]


def parsed(data: bytes) -> list[Element] | None:
    """The elements that the bytes are, without a rest; None when they are none."""
    return _parsed(data, _MOST_LEVELS)


def _parsed(data: bytes, levels: int) -> list[Element] | None:
    result, position = list[Element](), 0
    while position < len(data):
        try:
            tag, start, position = der.read(data, position)
        except ValueError:
            return None
        octets = data[start:position]
        skipped = int(tag == der.BIT_STRING)
        is_string = tag in (der.BIT_STRING, der.OCTET_STRING)
        wraps = tag & 0x20 or (is_string and octets[skipped : skipped + 1] == b"\x30")
        inside = _parsed(octets[skipped:], levels - 1) if wraps and levels else None
        result.append(Element(tag, octets, inside or [], octets[:skipped] if inside else b""))
    return result


def _families(elements: list[Element]) -> Iterator[list[Element]]:
    """Every list of elements in a tree."""
    yield elements
    for element in elements:
        if element.inside:
            yield from _families(element.inside)


@lru_cache(maxsize=256)
def of_pem(data: bytes) -> bytes:
    """The DER of the first PEM block of a seed; DER as it is."""
    return next((block.data for block in pem.scan(data) if block.data), data)


def spoil(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes | None:
    """DER with one to three elements spoiled; None when it is not DER."""
    tree = parsed(data)
    if not tree:
        return None
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        families = list(_families(tree))
        family = rng.choice(families)
        if family:
            number = rng.randrange(len(family))
            family[number : number + 1] = rng.choice(_WAYS)(rng, family[number], family, others)
    return b"".join(map(Element.encoded, tree))


_Way = Callable[[random.Random, Element, Elements, Seeds], Elements]


def _retag(rng: random.Random, one: Element, _family: Elements, _others: Seeds) -> Elements:
    one.tag = rng.choice(_TAGS)
    return [one]


def _length(rng: random.Random, one: Element, _family: Elements, _others: Seeds) -> Elements:
    """Indefinite, longer than needed, or a lie."""
    size = len(one.encoded())
    longer = (b"\x84" + size.to_bytes(4, "big"), b"\x82" + (size % 2**16).to_bytes(2, "big"))
    one.head = rng.choice((*_HEADS, *longer))
    return [one]


def _amount(rng: random.Random, one: Element, _family: Elements, _others: Seeds) -> Elements:
    """None of it, or more than one."""
    return [one] * min(rng.choice((0, 0, 2, 2, 30, 1000)), 2 + _MOST_OCTETS // len(one.encoded()))


def _order(rng: random.Random, one: Element, family: Elements, _others: Seeds) -> Elements:
    other = rng.randrange(len(family))
    family[other], one = one, family[other]
    return [one]


def _nest(rng: random.Random, one: Element, _family: Elements, _others: Seeds) -> Elements:
    """Far down, under lengths of either form."""
    levels, tag = rng.choice((1, 2, 30, 130, 1500)), rng.choice((0x30, 0x31, 0xA0, 0x24))
    if rng.random() < 0.3:
        levels *= 20
        return [Element(0, raw=bytes((tag, 0x80)) * levels + one.encoded() + b"\x00\x00" * levels)]
    data = one.encoded()
    for _ in range(levels):
        data = der.tlv(tag, data)
    return [Element(0, raw=data)]


def _foreign(rng: random.Random, one: Element, _family: Elements, others: Seeds) -> Elements:
    """An element of another seed in its place or beside it."""
    tree = parsed(of_pem(rng.choice(others)))
    if not tree:
        return [one]
    family = rng.choice([result for result in _families(tree) if result])
    return [rng.choice(family)] if rng.random() < 0.7 else [one, rng.choice(family)]


def _contents(rng: random.Random, one: Element, family: Elements, _others: Seeds) -> Elements:
    """Contents that are bad for just this type."""
    after_salt = any(other.tag == der.OCTET_STRING for other in family)
    if one.tag == der.INTEGER:
        rounds = after_salt and rng.random() < 0.8
        one.octets = der.contents(der.integer(rng.choice(_ROUNDS))) if rounds else rng.choice(_INTEGERS)
    elif one.tag == der.OID:
        near = one.octets[:-1] + bytes((rng.randrange(256),))
        one.octets = rng.choice((*_OIDS, *(near,) * len(_OIDS)))
    elif one.tag in (der.UTC_TIME, der.GENERALIZED_TIME):
        one.octets = rng.choice(_TIMES)
    elif one.tag in _OF_STRINGS or one.tag & 0xC0 == 0x80:
        one.octets, one.inside = rng.choice((*_STRINGS, one.octets + rng.choice(_STRINGS))), []
    else:
        octets = (b"", b"\x00", b"\x08\x00", one.octets[:-1], one.octets + b"\x00")
        one.octets, one.inside = rng.choice(octets), []
    return [one]


_WAYS: tuple[_Way, ...] = (
    *(_retag, _length, _length, _amount, _order, _nest, _foreign, _foreign),
    *(_contents, _contents, _contents, _contents),
)
