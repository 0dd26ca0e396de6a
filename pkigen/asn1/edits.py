"""Edits of signed structures: changes of the encoded bytes by faults, before or after signing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pkigen.asn1 import der
from pkigen.model import Edit, EditOp

_CONSTRUCTED = 0x20


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
    padding = (1 << data[0]) - 1
    last = octets[-1] | padding
    if last == octets[-1]:
        last ^= 1 << (data[0] - 1)
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
}
