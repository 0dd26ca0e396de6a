"""Ways to spoil an input: bytes, TLVs, PEM blocks, tokens of YAML. All follow from one Random."""

from __future__ import annotations

import base64
import random
import re
from collections.abc import Callable, Sequence

from fuzz import structures

_INTERESTING = bytes.fromhex("000102030405061f30317f808184a0ff")
_TOKENS = (
    *("{", "}", "[", "]", ":", "-", ",", "&a", "*a", "<<", "!!python/none", "|", ">", "\t", "'", '"', "\0"),
    *("true", "none", "-1", "0", "1e999", "9" * 400, "{{ name }}", "{{ 1/0 }}", "{1..9}", "\u202e", "\ud7ff"),
    *("..", "/", "x" * 5000, "\n", "\n\n  ", "null", "~", "rsa-1", "C: NO", "2026-13-45", "+99999999y"),
)
_LABELS = (
    *("CERTIFICATE", "TRUSTED CERTIFICATE", "CERTIFICATE REQUEST", "X509 CRL", "PKCS7", "PKCS12"),
    *("PUBLIC KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "X"),
    *("DSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PARAMETERS"),
)
_HEADERS = (
    b"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF",
    b"Proc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00",
    b"Proc-Type: 4,ENCRYPTED",
    b"DEK-Info: ,\xff",
    b"Comment: " + b"x" * 5000,
)
_VALUES = (b"", b" |\n  x", b" !!binary a", b" !!int x", b" 0x1", b" 1_0", b" .nan", b" 12:30:45", b" =")
_PEM = re.compile(rb"-----BEGIN ([^-]+)-----\n(.*?)-----END [^-]+-----\n?", re.DOTALL)
_LARGEST = 2_000_000

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def mutate(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A spoiled copy of ``data``; ``others`` are further seeds of which parts can be taken."""
    ways = _WAYS_OF_TEXT if data[:1] not in (b"\x30", b"") and b"-----BEGIN" not in data else _WAYS
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        data = rng.choice(ways)(rng, data, others)[:_LARGEST]
    return data


def _flip(rng: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 30))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _set(rng: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 3))):
        if changed:
            changed[rng.randrange(len(changed))] = rng.choice(_INTERESTING)
    return bytes(changed)


def _cut(rng: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] if rng.random() < 0.5 else data[:start] + data[start + rng.randrange(1, 40) :]


def _repeat(rng: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(data) + 1)
    piece = data[start : start + rng.choice((1, 2, 16, 400))]
    return data[:start] + piece * rng.choice((2, 3, 50, 1000)) + data[start:]


def _splice(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    other = rng.choice(others)
    start = rng.randrange(len(other) + 1)
    here = rng.randrange(len(data) + 1)
    return data[:here] + other[start : start + rng.randrange(1, 800)] + data[here + rng.randrange(0, 200) :]


def _tlv(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Tag, length or contents of one TLV, found by following lengths from the outside."""
    position = 0
    for _ in range(rng.randrange(12)):
        if position + 2 > len(data):
            break
        position += 2 + (data[position + 1] & 0x7F if data[position + 1] & 0x80 else 0)
        if rng.random() < 0.5 and position + 2 < len(data) and data[position + 1] < 0x80:
            position += 2 + data[position + 1]
    if position + 2 > len(data):
        return _set(rng, data, others)
    tag = bytes((rng.choice(_INTERESTING),)) if rng.random() < 0.3 else data[position : position + 1]
    length = rng.choice((b"\x00", b"\x80", b"\x81\x01", b"\x82\xff\xff", b"\x84\xff\xff\xff\xff", b"\xff"))
    body = rng.choice((b"", b"\x00", b"\xff" * 40, b"\x30\x80" * 200, b"\x30\x82\x01\x00" * 60))
    return data[:position] + tag + length + body + data[position + rng.randrange(1, 6) :]


def _tree(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change an element of DER and correct the lengths around it; change a byte of any other input."""
    spoiled = structures.spoil(rng, data, others)
    return _flip(rng, data, others) if spoiled is None else spoiled


def _inside_pem(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """A mutation of the bytes inside a PEM block, or of DER as it is."""
    blocks = list(_PEM.finditer(data))
    if not blocks:
        return rng.choice(_OCTETS)(rng, data, others)
    block = rng.choice(blocks)
    try:
        octets = base64.b64decode(block[2])
    except ValueError:
        return _flip(rng, data, others)
    spoiled = rng.choice(_OCTETS)(rng, octets, others)
    text = b"-----BEGIN %s-----\n%s-----END %s-----\n" % (block[1], base64.encodebytes(spoiled), block[1])
    return data[: block.start()] + text + data[block.end() :]


def _blocks(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Whole PEM blocks: many of one, those of another seed, one under another label or with headers."""
    blocks = [block[0] for block in _PEM.finditer(data)]
    more = [block[0] for block in _PEM.finditer(rng.choice(others))]
    if not blocks:
        return data + b"".join(more)
    block, way = rng.choice(blocks), rng.randrange(4)
    if way == 0:
        return data + block * rng.choice((1, 20, 200))
    if way == 1:
        return data + b"\n" + b"".join(more)
    if way == 2:
        label = rng.choice(_LABELS).encode()
        spoiled = re.sub(rb"(BEGIN|END) [^-]+", rb"\1 " + label, block)
    else:
        spoiled = block.replace(b"-----\n", b"-----\n" + rng.choice(_HEADERS) + b"\n\n", 1)
    return data.replace(block, spoiled, 1)


def _lines(rng: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Lines left out, doubled, relabelled; other line ends, NUL, UTF-16."""
    lines = data.split(b"\n")
    number = rng.randrange(len(lines))
    way = rng.randrange(7)
    if way == 0:
        del lines[number]
    elif way == 1:
        lines[number:number] = [lines[number]] * rng.choice((1, 200))
    elif way == 2:
        lines[number] = f"-----BEGIN {rng.choice(_LABELS)}-----".encode()
    elif way == 3:
        lines[number] += rng.choice((b"\x00", b"!", b"-----", b"=", b" " * 3000, b"Proc-Type: 4,ENCRYPTED"))
    elif way == 4:
        return b"\r\n".join(lines)
    elif way == 5:
        mark, codec = rng.choice(((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")))
        return mark + data.decode("latin-1").encode(codec) + rng.choice((b"", b"\x00"))
    else:
        rng.shuffle(lines)
    return b"\n".join(lines)


def _token(rng: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """A word or a mark of a YAML text put in the place of another."""
    text = data.decode("utf-8", "replace")
    words = list(re.finditer(r"[\w.-]+|[{}\[\]:,*&]", text))
    if not words:
        return rng.choice(_TOKENS).encode("utf-8", "replace")
    word = rng.choice(words)
    new = rng.choice(_TOKENS) if rng.random() < 0.6 else rng.choice(words)[0]
    return (text[: word.start()] + new + text[word.end() :]).encode("utf-8", "replace")


def _indent(rng: random.Random, data: bytes, _others: Sequence[bytes]) -> bytes:
    """Move lines of YAML: further in or out, twice, under another key, very deep."""
    lines = data.split(b"\n")
    number = rng.randrange(len(lines))
    line, way = lines[number], rng.randrange(6)
    if way == 0:
        lines[number] = b" " * rng.choice((1, 2, 3)) + line
    elif way == 1:
        lines[number] = line[rng.choice((1, 2, 4)) :]
    elif way == 2:
        lines[number:number] = lines[rng.randrange(len(lines)) :][: rng.choice((1, 5, 20))]
    elif way == 3:
        key = line.partition(b":")[0]
        opened = rng.choice((b"[", b"{a: ", b"- ", b"&a [*a, "))
        lines[number] = key + b": " + opened * rng.choice((1, 20, 5000))
    elif way == 4:
        key, levels = line.partition(b":")[0], rng.choice((3, 9, 30))
        lists = (b"&a%d [%s]" % (level, b",".join([b"*a%d" % (level - 1)] * 9)) for level in range(1, levels))
        lines[number] = key + b": [&a0 [x], " + b", ".join(lists) + b"]"
    else:
        lines[number] = line.partition(b":")[0] + b":" + rng.choice(_VALUES)
    return b"\n".join(lines)


_OCTETS: tuple[Mutation, ...] = (_flip, _set, _cut, _repeat, _splice, _tlv, _tlv, *(_tree,) * 7)
_WAYS: tuple[Mutation, ...] = (*_OCTETS, *(_inside_pem,) * 10, _blocks, _blocks, _lines)
_WAYS_OF_TEXT: tuple[Mutation, ...] = (
    *(_token, _token, _token, _token, _indent, _indent),
    *(_lines, _flip, _cut, _splice, _repeat),
)
