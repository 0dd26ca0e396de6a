"""Limits the work of key derivation that a file can request, before any of it is done.

The number of iterations is in the file: two billion of them keep a machine busy for hours. Reads BER, which
occurs in PKCS#12.
"""

from __future__ import annotations

import re
from math import prod

from pkigen.asn1 import der
from pkigen.errors import InputError

MAX_ITERATIONS = 2_000_000
"""Iterations per file, about two seconds; every attempt with a passphrase counts."""

# The OIDs of PBES1, PBKDF2, the schemes of PKCS#12, and of scrypt, without tag and length.
_DERIVATIONS = re.compile(
    rb"\x2a\x86\x48\x86\xf7\x0d\x01(?:\x05[\x01-\x0c]|\x0c\x01[\x01-\x06])|\x2b\x06\x01\x04\x01\xda\x47\x04\x0b",
)
_SCRYPT_UNIT = 2
"""Iterations that take about as long as a block (128 bytes) of scrypt's table."""
_UNBOUNDED = 2**63
_CONSTRUCTED_STRING = 0x24
_LONGEST_NUMBER = 8
_MOST_LEVELS = 30


class KdfBudget:
    """The iterations that remain for one file."""

    def __init__(self) -> None:
        self.left = MAX_ITERATIONS

    def spend(self, data: bytes) -> None:
        """Count one attempt to decrypt a key or a container; InputError if the budget does not suffice."""
        iterations = kdf_iterations(data)
        if iterations >= _UNBOUNDED:
            raise InputError("its number of key derivation iterations cannot be determined")
        if iterations > MAX_ITERATIONS:
            raise InputError(
                f"it requires {iterations:,} iterations of key derivation; the limit is {MAX_ITERATIONS:,}"
            )
        if iterations > self.left:
            limit = f"{MAX_ITERATIONS:,} iterations of key derivation"
            raise InputError(f"the file requires more than {limit}, which is the limit")
        self.left -= iterations


def kdf_iterations(data: bytes) -> int:
    """Return the sum of the iterations of all key derivations in a key or a container."""
    return sum(_iterations(data, match) for match in _DERIVATIONS.finditer(data)) + _mac_iterations(data)


def _iterations(data: bytes, match: re.Match[bytes]) -> int:
    """Return the iterations after an OID: SEQUENCE { salt, iterations } or, for scrypt, { salt, N, r, p }."""
    try:
        if data[match.end()] != der.SEQUENCE:
            return 0
        position = _start(data, match.end())
        if data[position] == _CONSTRUCTED_STRING:
            return _UNBOUNDED
        tag, _, position = der.read(data, position)
        if tag != der.OCTET_STRING:
            return 0
        if match[0][0] == 0x2A:
            return _number(data, position)
        factors = []
        for _ in range(3):
            factors.append(_number(data, position))
            position = der.read(data, position)[2]
        return prod(factors) * _SCRYPT_UNIT
    except (ValueError, IndexError):
        return 0


def _mac_iterations(data: bytes) -> int:
    """Return the iterations of PKCS#12's MAC (RFC 7292, 4): the last field of MacData."""
    try:
        position = _start(data, 0)
        if data[0] != der.SEQUENCE or data[position] != der.INTEGER:
            return 0
        for _ in range(2):
            position = _read(data, position)[2]
        tag, position, end = _read(data, position)
        if tag != der.SEQUENCE:
            return 0
        for _ in range(2):
            position = _read(data, position)[2]
        return _number(data, position) if position < end else 1
    except (ValueError, IndexError):
        return 0


def _number(data: bytes, position: int) -> int:
    """Return the INTEGER at a position; 0 if there is none."""
    tag, start, end = der.read(data, position)
    if tag != der.INTEGER:
        return 0
    value = data[start:end].lstrip(b"\x00")
    return _UNBOUNDED if len(value) > _LONGEST_NUMBER else int.from_bytes(value, "big")


def _start(data: bytes, position: int) -> int:
    """Return the offset of the contents of a TLV."""
    size = data[position + 1]
    return position + 2 + (size & 0x7F if size & 0x80 else 0)


def _read(data: bytes, position: int, levels: int = _MOST_LEVELS) -> tuple[int, int, int]:
    """Return the tag of a TLV, and the offsets of its contents and of the next TLV."""
    if data[position + 1] != 0x80:
        return der.read(data, position)
    if not levels:
        raise ValueError("indefinite lengths, too deep")
    start = end = position + 2
    while data[end : end + 2] != b"\x00\x00":
        end = _read(data, end, levels - 1)[2]
    return data[position], start, end + 2
