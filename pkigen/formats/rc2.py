"""RC2 in CBC mode (RFC 2268), which libraries no longer offer with keys of 40 bits."""

from __future__ import annotations

import struct
from itertools import pairwise

_PITABLE = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)
_ROTATIONS = (1, 2, 3, 5)
_MIXED_BEFORE_A_MASH = (4, 10)
"""The mixing rounds, of 16, that a mashing round follows."""
_BLOCK = 8


def encrypt(key: bytes, effective_bits: int, vector: bytes, data: bytes) -> bytes:
    """Return the ciphertext of ``data``, whose length is a multiple of 8 bytes."""
    words = _expanded(key, effective_bits)
    blocks = [vector]
    for block in _blocks(data):
        blocks.append(_encrypted(words, _xor(block, blocks[-1])))
    return b"".join(blocks[1:])


def decrypt(key: bytes, effective_bits: int, vector: bytes, data: bytes) -> bytes:
    """Return the plaintext of ``data``, whose length is a multiple of 8 bytes, with its padding."""
    words = _expanded(key, effective_bits)
    pairs = pairwise([vector, *_blocks(data)])
    return b"".join(_xor(_decrypted(words, block), last) for last, block in pairs)


def _blocks(data: bytes) -> list[bytes]:
    return [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)]


def _xor(first: bytes, second: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(first, second, strict=True))


def _expanded(key: bytes, effective_bits: int) -> tuple[int, ...]:
    """Expand a key to 64 words (RFC 2268, section 2)."""
    expanded = bytearray(key)
    size = len(key)
    while len(expanded) < 128:
        expanded.append(_PITABLE[(expanded[-1] + expanded[-size]) & 0xFF])
    effective = (effective_bits + 7) // 8
    mask = 0xFF >> (8 * effective - effective_bits)
    expanded[128 - effective] = _PITABLE[expanded[128 - effective] & mask]
    for place in range(127 - effective, -1, -1):
        expanded[place] = _PITABLE[expanded[place + 1] ^ expanded[place + effective]]
    return struct.unpack("<64H", expanded)


def _encrypted(words: tuple[int, ...], block: bytes) -> bytes:
    """Encrypt one block of eight bytes (RFC 2268, section 3)."""
    r = list(struct.unpack("<4H", block))
    for number in range(16):
        for i, rotation in enumerate(_ROTATIONS):
            chosen = (r[i - 1] & r[i - 2]) + (~r[i - 1] & r[i - 3])
            total = (r[i] + words[4 * number + i] + chosen) & 0xFFFF
            r[i] = (total << rotation | total >> (16 - rotation)) & 0xFFFF
        if number in _MIXED_BEFORE_A_MASH:
            for i in range(4):
                r[i] = (r[i] + words[r[i - 1] & 63]) & 0xFFFF
    return struct.pack("<4H", *r)


def _decrypted(words: tuple[int, ...], block: bytes) -> bytes:
    """Decrypt one block of eight bytes (RFC 2268, section 4)."""
    r = list(struct.unpack("<4H", block))
    for number in range(15, -1, -1):
        if number in _MIXED_BEFORE_A_MASH:
            for i in range(3, -1, -1):
                r[i] = (r[i] - words[r[i - 1] & 63]) & 0xFFFF
        for i in range(3, -1, -1):
            rotation = _ROTATIONS[i]
            total = (r[i] >> rotation | r[i] << (16 - rotation)) & 0xFFFF
            chosen = (r[i - 1] & r[i - 2]) + (~r[i - 1] & r[i - 3])
            r[i] = (total - words[4 * number + i] - chosen) & 0xFFFF
    return struct.pack("<4H", *r)
