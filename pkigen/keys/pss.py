"""RSASSA-PSS with a salt that is given (RFC 8017, 8.1.1 and 9.1.1): signatures that repeat."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import Hash, HashAlgorithm


def sign_pss(
    key: RSAPrivateKey, message: bytes, digest: HashAlgorithm, mask: HashAlgorithm, salt: bytes
) -> bytes:
    """The signature over ``message``; ``mask`` is the digest of MGF1."""
    encoded = _encode(message, key.key_size - 1, digest, mask, salt)
    numbers = key.private_numbers()
    p, q = numbers.p, numbers.q
    value = int.from_bytes(encoded, "big")
    in_p, in_q = pow(value, numbers.dmp1, p), pow(value, numbers.dmq1, q)
    signature = in_q + (in_p - in_q) * numbers.iqmp % p * q
    return signature.to_bytes((key.key_size + 7) // 8, "big")


def _encode(message: bytes, bits: int, digest: HashAlgorithm, mask: HashAlgorithm, salt: bytes) -> bytes:
    """EMSA-PSS: an encoded message of at most ``bits`` bits."""
    size = (bits + 7) // 8
    hashed = _hash(digest, bytes(8), _hash(digest, message), salt)
    padded = b"\x01" + salt
    block = padded.rjust(size - digest.digest_size - 1, b"\0")
    masked = bytearray(a ^ b for a, b in zip(block, _mgf1(mask, hashed, len(block)), strict=True))
    masked[0] &= 0xFF >> (8 * size - bits)
    return bytes(masked) + hashed + b"\xbc"


def _mgf1(digest: HashAlgorithm, seed: bytes, size: int) -> bytes:
    blocks = range(-(-size // digest.digest_size))
    return b"".join(_hash(digest, seed, block.to_bytes(4, "big")) for block in blocks)[:size]


def _hash(digest: HashAlgorithm, *parts: bytes) -> bytes:
    state = Hash(digest)
    for part in parts:
        state.update(part)
    return state.finalize()
