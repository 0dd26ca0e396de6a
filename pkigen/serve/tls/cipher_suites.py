"""Cipher suites, and the protection of records that each stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from pkigen.serve.tls import key_schedule
from pkigen.serve.tls.client_hello import TLS_1_0
from pkigen.serve.tls.protection import Aead, Cbc, Modern, Older, Protection

_NONCE, _SALT, _BLOCK, _MAC = 12, 4, 16, 20


@dataclass(frozen=True)
class Suite:
    """A cipher suite: its hash, its cipher (None: AES-CBC with HMAC-SHA-1), the key's octets.

    ``iv`` counts the octets of the nonce that come out of the PRF before TLS 1.3; for CBC the version
    says how many.
    """

    digest: str
    aead: Callable[[bytes], Aead] | None
    key: int
    iv: int = 0


_AES128, _AES256 = Suite("sha256", AESGCM, 16, _SALT), Suite("sha384", AESGCM, 32, _SALT)
_CHACHA = Suite("sha256", ChaCha20Poly1305, 32, _NONCE)
_CBC128, _CBC256 = Suite("sha256", None, 16), Suite("sha256", None, 32)

MODERN = {0x1301: _AES128, 0x1302: _AES256, 0x1303: _CHACHA}
"""Those of TLS 1.3 (RFC 8446, B.4)."""
ECDHE_ECDSA = {
    0xC02B: _AES128,
    0xC02C: _AES256,
    0xCCA9: _CHACHA,
    0xC009: _CBC128,
    0xC00A: _CBC256,
}
"""Before TLS 1.3, for all keys but RSA (RFC 8422, RFC 5289, RFC 7905)."""
ECDHE_RSA = {
    0xC02F: _AES128,
    0xC030: _AES256,
    0xCCA8: _CHACHA,
    0xC013: _CBC128,
    0xC014: _CBC256,
}
"""Before TLS 1.3, for RSA keys."""


def modern(suite: Suite, traffic: bytes) -> Protection:
    """One direction of TLS 1.3 under a traffic secret (RFC 8446, 7.3)."""
    assert suite.aead is not None
    key = key_schedule.expand(suite.digest, traffic, "key", size=suite.key)
    return Modern(suite.aead(key), key_schedule.expand(suite.digest, traffic, "iv", size=_NONCE))


def older(
    suite: Suite, version: int, digest: str, master: bytes, seed: bytes
) -> tuple[Protection, Protection]:
    """What the client and what this side writes with, out of the key block (RFC 5246, 6.3).

    ``seed`` is the server's random and then the client's.
    """
    mac = 0 if suite.aead else _MAC
    iv = suite.iv if suite.aead else (_BLOCK if version == TLS_1_0 else 0)
    block = key_schedule.prf(digest, master, b"key expansion", seed, 2 * (mac + suite.key + iv))
    parts = list[bytes]()
    for size in (mac, mac, suite.key, suite.key, iv, iv):
        parts.append(block[:size])
        block = block[size:]
    if suite.aead is not None:
        return Older(suite.aead(parts[2]), parts[4]), Older(suite.aead(parts[3]), parts[5])
    return (
        Cbc(version, parts[2], parts[4], parts[0], writes=False),
        Cbc(version, parts[3], parts[5], parts[1], writes=True),
    )
