"""How much work a passphrase-protected file asks for, read before any of it is done.

The number of rounds of a key derivation stands in the file: two thousand million of them keep a
machine busy for hours.
"""

from __future__ import annotations

import re

MOST_ROUNDS = 5_000_000

# The OIDs of PBKDF2, scrypt, PBES1 and the schemes of PKCS#12, then SEQUENCE { salt, rounds.
_DERIVATIONS = re.compile(
    rb"\x06(?:\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05[\x01-\x0c]"
    rb"|\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01."
    rb"|\x09\x2b\x06\x01\x04\x01\xda\x47\x04\x0b)"
    rb"\x30(?:[\x00-\x7f]|\x80|\x81.)\x04",
    re.DOTALL,
)
_LONGEST_SALT = 1024


def asks_too_much(data: bytes) -> str:
    """Why the derivation of a key from a passphrase is not begun; "" when its work is bounded."""
    starts = [match.end() for match in _DERIVATIONS.finditer(data)]
    rounds = [_number(data, start) for start in starts]
    most = max([*rounds, _mac_rounds(data)], default=0)
    return f"it asks for {most:,} rounds of key derivation; {MOST_ROUNDS:,} are the limit here" if (
        most > MOST_ROUNDS
    ) else ""


def _number(data: bytes, position: int) -> int:
    """The INTEGER after the OCTET STRING whose length octet is at a position; 0 if there is none."""
    try:
        size = data[position]
        position += 1
        if size & 0x80:
            octets = size & 0x7F
            size = int.from_bytes(data[position : position + octets], "big")
            position += octets
        if size > _LONGEST_SALT:
            return 0
        position += size
        if data[position] != 0x02:
            return 0
        octets = data[position + 1]
        return int.from_bytes(data[position + 2 : position + 2 + octets], "big") if octets < 0x80 else 0
    except IndexError:
        return 0


def _mac_rounds(data: bytes) -> int:
    """The rounds at the end of a PKCS#12 file (RFC 7292, 4: MacData), 0 when it is not one."""
    end = data.rstrip(b"\x00")
    for octets in range(3, 9):
        if len(end) > octets + 1 and end[-octets - 2] == 0x02 and end[-octets - 1] == octets:
            return int.from_bytes(end[-octets:], "big")
    return 0
