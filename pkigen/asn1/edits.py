"""Edits of signed structures: changes of the encoded bytes by faults, before or after signing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256

from pkigen.asn1 import der
from pkigen.model import Edit, EditOp

_CONSTRUCTED = 0x20
_GENERATOR = (3,)
"""The generator in SpecifiedECDomain (SEC 1, C.2)."""
_SHA256 = "2.16.840.1.101.3.4.2.1"


def edited(data: bytes, edits: tuple[Edit, ...], *, signed: bool) -> bytes:
    """Return a structure after its signed edits, or after its other edits.

    Lengths of the enclosing elements are written again in their shortest form, so edits that make a
    structure unreadable must come last.
    """
    for edit in edits:
        if edit.signed is signed:
            data = der.edit(data, edit.path, partial(_OPERATIONS[edit.op], edit.data))
    return data


def _retagged(data: bytes, element: bytes) -> bytes:
    return data[:1] + element[1:]


def _flipped(_data: bytes, element: bytes) -> bytes:
    return element[:-1] + bytes((element[-1] ^ 1,))


def _unused(data: bytes, element: bytes) -> bytes:
    octets = der.contents(element)[1:]
    # The bit before the unused ones: parsers that set these to 0 could restore the value by chance.
    last = octets[-1] ^ 1 << data[0]
    last |= (1 << data[0]) - 1
    return der.bit_string(octets[:-1] + bytes((last,)), data[0])


def _beheaded(_data: bytes, element: bytes) -> bytes:
    return der.tlv(element[0], der.contents(element)[1:])


def _shortened(_data: bytes, element: bytes) -> bytes:
    return der.tlv(element[0], der.contents(element)[:-1])


def _lengthened(_data: bytes, element: bytes) -> bytes:
    body = der.contents(element)
    shortest = (len(body).bit_length() + 7) // 8 if len(body) >= 0x80 else 0
    octets = len(body).to_bytes(shortest + 1, "big")
    return bytes((element[0], 0x80 | len(octets))) + octets + body


def _indefinite(_data: bytes, element: bytes) -> bytes:
    return bytes((element[0], 0x80)) + der.contents(element) + b"\0\0"


def _constructed(_data: bytes, element: bytes) -> bytes:
    return der.tlv(element[0] | _CONSTRUCTED, element)


def _bare(_data: bytes, element: bytes) -> bytes:
    numbers = [der.contents(one).lstrip(b"\0") for one in der.children(der.contents(element)[1:])]
    size = max(map(len, numbers))
    return der.bit_string(b"".join(number.rjust(size, b"\0") for number in numbers))


def _zeroed(_data: bytes, element: bytes) -> bytes:
    return der.tlv(element[0], bytes(len(der.contents(element))))


def _hybrid(_data: bytes, element: bytes) -> bytes:
    point = der.contents(element)[1:]
    return der.bit_string(bytes((6 + (point[-1] & 1),)) + point[1:])


def _with_own_generator(data: bytes, element: bytes) -> bytes:
    algorithm, bits = der.children(element)
    generator = der.octet_string(der.contents(bits)[1:])
    parameters = der.edit(data, _GENERATOR, lambda _: generator)
    return der.sequence(der.sequence(der.children(algorithm)[0], parameters), bits)


def _forged(_data: bytes, element: bytes) -> bytes:
    """Return a certificate whose signature is a cube root: the right digest, then garbage."""
    tbs, algorithm, signature = der.children(element)
    size = len(der.contents(signature)) - 1
    info = der.sequence(der.sequence(der.oid(_SHA256), der.null()), der.octet_string(sha256(tbs).digest()))
    start = b"\0\1" + b"\xff" * 8 + b"\0" + info
    value = _cube_root(int.from_bytes(start.ljust(size, b"\xff"), "big"))
    return der.sequence(tbs, algorithm, der.bit_string(value.to_bytes(size, "big")))


def _cube_root(number: int) -> int:
    """Return the largest integer whose cube is not larger than a number."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


def _compressed(_data: bytes, element: bytes) -> bytes:
    point = der.contents(element)[1:]
    half = (len(point) + 1) // 2
    return der.bit_string(bytes((2 + (point[-1] & 1),)) + point[1:half])


_OPERATIONS: dict[EditOp, Callable[[bytes, bytes], bytes]] = {
    EditOp.REPLACE: lambda data, _element: data,
    EditOp.REMOVE: lambda _data, _element: b"",
    EditOp.INSERT: lambda data, element: data + element,
    EditOp.APPEND: lambda data, element: element + data,
    EditOp.RETAG: _retagged,
    EditOp.REPLACE_CONTENTS: lambda data, element: der.tlv(element[0], data),
    EditOp.PREPEND_CONTENTS: lambda data, element: der.tlv(element[0], data, der.contents(element)),
    EditOp.FLIP_LAST_BIT: _flipped,
    EditOp.SET_UNUSED_BITS: _unused,
    EditOp.DROP_FIRST_BYTE: _beheaded,
    EditOp.DROP_LAST_BYTE: _shortened,
    EditOp.TRUNCATE: lambda data, element: element[: -len(data)],
    EditOp.PAD_LENGTH: _lengthened,
    EditOp.INDEFINITE_LENGTH: _indefinite,
    EditOp.MAKE_CONSTRUCTED: _constructed,
    EditOp.RAW_ECDSA_NUMBERS: _bare,
    EditOp.COMPRESS_POINT: _compressed,
    EditOp.ZERO_CONTENTS: _zeroed,
    EditOp.HYBRID_POINT: _hybrid,
    EditOp.OWN_GENERATOR: _with_own_generator,
    EditOp.FORGE_EXPONENT_3: _forged,
}
