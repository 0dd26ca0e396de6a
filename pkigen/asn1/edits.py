"""Edits of signed structures: what a fault changes in the octets, before or after they are signed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from pkigen.asn1 import der
from pkigen.model import Edit, EditOp

_CONSTRUCTED = 0x20


def edited(data: bytes, edits: tuple[Edit, ...], *, signed: bool) -> bytes:
    """A structure after those of its edits that are signed, or those that are not.

    Lengths around an edited element are written anew in their shortest form: edits that leave a
    structure unreadable come last.
    """
    for edit in edits:
        if edit.signed is signed:
            data = der.edit(data, edit.path, partial(_OPERATIONS[edit.op], edit.data))
    return data


def _retagged(data: bytes, found: bytes) -> bytes:
    return data[:1] + found[1:]


def _flipped(_data: bytes, found: bytes) -> bytes:
    return found[:-1] + bytes((found[-1] ^ 1,))


def _unused(data: bytes, found: bytes) -> bytes:
    octets = der.contents(found)[1:]
    padding = (1 << data[0]) - 1
    return der.bit_string(octets[:-1] + bytes((octets[-1] | padding,)), data[0])


def _beheaded(_data: bytes, found: bytes) -> bytes:
    return der.tlv(found[0], der.contents(found)[1:])


def _shortened(_data: bytes, found: bytes) -> bytes:
    return der.tlv(found[0], der.contents(found)[:-1])


def _lengthened(_data: bytes, found: bytes) -> bytes:
    body = der.contents(found)
    shortest = (len(body).bit_length() + 7) // 8 if len(body) >= 0x80 else 0
    octets = len(body).to_bytes(shortest + 1, "big")
    return bytes((found[0], 0x80 | len(octets))) + octets + body


def _indefinite(_data: bytes, found: bytes) -> bytes:
    return bytes((found[0], 0x80)) + der.contents(found) + b"\0\0"


def _constructed(_data: bytes, found: bytes) -> bytes:
    return der.tlv(found[0] | _CONSTRUCTED, found)


def _bare(_data: bytes, found: bytes) -> bytes:
    numbers = [der.contents(one).lstrip(b"\0") for one in der.children(der.contents(found)[1:])]
    size = max(map(len, numbers))
    return der.bit_string(b"".join(number.rjust(size, b"\0") for number in numbers))


def _compressed(_data: bytes, found: bytes) -> bytes:
    point = der.contents(found)[1:]
    half = (len(point) + 1) // 2
    return der.bit_string(bytes((2 + (point[-1] & 1),)) + point[1:half])


_OPERATIONS: dict[EditOp, Callable[[bytes, bytes], bytes]] = {
    EditOp.REPLACE: lambda data, _found: data,
    EditOp.REMOVE: lambda _data, _found: b"",
    EditOp.INSERT: lambda data, found: data + found,
    EditOp.APPEND: lambda data, found: found + data,
    EditOp.RETAG: _retagged,
    EditOp.REPLACE_CONTENTS: lambda data, found: der.tlv(found[0], data),
    EditOp.PREPEND_CONTENTS: lambda data, found: der.tlv(found[0], data, der.contents(found)),
    EditOp.FLIP_LAST_BIT: _flipped,
    EditOp.SET_UNUSED_BITS: _unused,
    EditOp.DROP_FIRST_BYTE: _beheaded,
    EditOp.DROP_LAST_BYTE: _shortened,
    EditOp.TRUNCATE: lambda data, found: found[: -len(data)],
    EditOp.PAD_LENGTH: _lengthened,
    EditOp.INDEFINITE_LENGTH: _indefinite,
    EditOp.MAKE_CONSTRUCTED: _constructed,
    EditOp.RAW_ECDSA_NUMBERS: _bare,
    EditOp.COMPRESS_POINT: _compressed,
}
