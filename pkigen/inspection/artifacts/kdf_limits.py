"""How much work passphrases ask for, read before any of it is done.

The number of rounds of a key derivation stands in the file: two thousand million of them keep a
machine busy for hours. Read as BER, which OpenSSL takes in PKCS#12.
"""

from __future__ import annotations

import re
from math import prod

from pkigen.asn1 import der

MAX_ITERATIONS = 2_000_000
"""Of a file as a whole, a second or so; every passphrase that is tried takes them anew."""

# The OIDs of PBES1, PBKDF2, the schemes of PKCS#12, and of scrypt, without tag and length.
_DERIVATIONS = re.compile(
    rb"\x2a\x86\x48\x86\xf7\x0d\x01(?:\x05[\x01-\x0c]|\x0c\x01[\x01-\x06])|\x2b\x06\x01\x04\x01\xda\x47\x04\x0b",
)
_SCRYPT_UNIT = 2
"""A block of scrypt's table is about as much work as that many rounds of the others, and 128 octets."""
_UNTOLD = 2**63
_CONSTRUCTED_STRING = 0x24
_LONGEST_NUMBER = 8
_MOST_LEVELS = 30


class KdfBudget:
    """What is left of the rounds that one file may ask for."""

    def __init__(self) -> None:
        self.left = MAX_ITERATIONS

    def refusal(self, data: bytes) -> str:
        """Why a passphrase is not tried on a key or a container; "" when it is, which is counted."""
        rounds = kdf_iterations(data)
        if rounds >= _UNTOLD:
            return "it asks for more rounds of key derivation than can be told"
        if rounds > MAX_ITERATIONS:
            return f"it asks for {rounds:,} rounds of key derivation; {MAX_ITERATIONS:,} are the limit here"
        if rounds > self.left:
            return f"the file asks for more than {MAX_ITERATIONS:,} rounds of key derivation, the limit here"
        self.left -= rounds
        return ""


def kdf_iterations(data: bytes) -> int:
    """The rounds of all key derivations in a key or a container together."""
    return sum(_rounds(data, match) for match in _DERIVATIONS.finditer(data)) + _mac_rounds(data)


def _rounds(data: bytes, match: re.Match[bytes]) -> int:
    """What is asked for after an OID: SEQUENCE { salt, rounds } or, of scrypt, { salt, N, r, p }."""
    try:
        if data[match.end()] != der.SEQUENCE:
            return 0
        position = _start(data, match.end())
        if data[position] == _CONSTRUCTED_STRING:
            return _UNTOLD
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


def _mac_rounds(data: bytes) -> int:
    """The rounds of PKCS#12's MAC (RFC 7292, 4): the last of MacData, which is the third of the PFX."""
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
    """The INTEGER at a position; 0 if there is none."""
    tag, start, end = der.read(data, position)
    if tag != der.INTEGER:
        return 0
    octets = data[start:end].lstrip(b"\x00")
    return _UNTOLD if len(octets) > _LONGEST_NUMBER else int.from_bytes(octets, "big")


def _start(data: bytes, position: int) -> int:
    """Where the contents of a TLV start."""
    size = data[position + 1]
    return position + 2 + (size & 0x7F if size & 0x80 else 0)


def _read(data: bytes, position: int, levels: int = _MOST_LEVELS) -> tuple[int, int, int]:
    """The tag of a TLV, where its contents start, and where the next TLV does."""
    if data[position + 1] != 0x80:
        return der.read(data, position)
    if not levels:
        raise ValueError("indefinite lengths, too deep")
    start = end = position + 2
    while data[end : end + 2] != b"\x00\x00":
        end = _read(data, end, levels - 1)[2]
    return data[position], start, end + 2
