"""Converts BER to definite lengths and primitive strings (X.690, 8.1.3, 8.7), as ``der`` reads them."""

from __future__ import annotations

from pkigen.asn1 import der

_INDEFINITE, _END_OF_CONTENTS = 0x80, b"\x00\x00"
_CONSTRUCTED, _CONSTRUCTED_OCTET_STRING = 0x20, 0x24
_MAX_DEPTH = 32
_MAX_ELEMENTS = 1_000_000


class TooLarge(der.InvalidDer):
    """A structure beyond a limit, which the message states."""


def definite(data: bytes) -> bytes:
    """Return the first TLV of ``data`` with definite lengths and primitive OCTET STRINGs.

    Elements that already have this form are copied unchanged, so that signatures over them stay valid.
    Raises ValueError for data that is not BER.
    """
    return _Converter(data).element(0, _MAX_DEPTH)[0]


def size(data: bytes) -> int:
    """Return the number of bytes of the first TLV; ValueError for data that is not BER."""
    if data[1:2] != bytes((_INDEFINITE,)):
        return der.read(data)[2]
    return _Converter(data).element(0, _MAX_DEPTH)[1]


class _Converter:
    def __init__(self, data: bytes) -> None:
        self._data, self._elements = data, 0

    def element(self, start: int, depth: int) -> tuple[bytes, int]:
        """Return the converted TLV at ``start``, and the offset after it."""
        data = self._data
        self._elements += 1
        if not depth:
            raise TooLarge(f"the structure is nested deeper than {_MAX_DEPTH} levels, which is the limit")
        if self._elements > _MAX_ELEMENTS:
            raise TooLarge(f"the structure has more than {_MAX_ELEMENTS:,} elements, which is the limit")
        if start + 2 > len(data):
            raise der.InvalidDer(f"no TLV at offset {start}")
        tag = data[start]
        if data[start + 1] == _INDEFINITE:
            contents, position = bytearray(), start + 2
            while data[position : position + 2] != _END_OF_CONTENTS:
                part, position = self.element(position, depth - 1)
                contents += _inner(tag, part)
            return _tlv(tag, contents), position + 2
        _, position, end = der.read(data, start)
        if not tag & _CONSTRUCTED:
            return data[start:end], end
        contents, unchanged = bytearray(), tag != _CONSTRUCTED_OCTET_STRING
        while position < end:
            part, following = self.element(position, depth - 1)
            unchanged = unchanged and len(part) == following - position
            contents += _inner(tag, part)
            position = following
        return (data[start:end] if unchanged else _tlv(tag, contents)), end


def _inner(tag: int, part: bytes) -> bytes:
    """Return what an element contributes to the contents of the element with ``tag`` around it."""
    return der.contents(part) if tag == _CONSTRUCTED_OCTET_STRING else part


def _tlv(tag: int, contents: bytearray) -> bytes:
    tag = der.OCTET_STRING if tag == _CONSTRUCTED_OCTET_STRING else tag
    return der.tlv(tag, bytes(contents))
