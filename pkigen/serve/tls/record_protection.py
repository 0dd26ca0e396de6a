"""Cipher suites and the protection of records: none, TLS 1.3, AEAD in TLS 1.2, CBC with HMAC."""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from pkigen.serve.tls import key_exchange
from pkigen.serve.tls.client_hello import TLS_1_0, TLS_1_2
from pkigen.serve.tls.codec import Alert, AlertDescription, number, vector

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
MAX_RECORD_BYTES = 1 << 14
_TAG, _BLOCK, _MAC = 16, 16, 20
_ALERT_BYTES = 2

Aead = AESGCM | ChaCha20Poly1305


class Protection(Protocol):
    """Protects one direction of a connection."""

    def seal(self, kind: int, data: bytes) -> bytes:
        """Return a record with its header."""
        ...

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """Return the content type and the data of a record without its header."""
        ...


@dataclass
class NoProtection:
    """Records before key exchange; ``version`` is the one in their headers."""

    version: int = TLS_1_2

    def seal(self, kind: int, data: bytes) -> bytes:
        """See Protection."""
        return number(kind, 1) + number(self.version, 2) + vector(data, 2)

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """See Protection."""
        return kind, fragment


@dataclass
class Tls13Protection:
    """TLS 1.3 (RFC 8446, 5.2): the content type is encrypted."""

    aead: Aead
    iv: bytes = field(repr=False)
    sequence: int = 0

    def seal(self, kind: int, data: bytes) -> bytes:
        """See Protection."""
        inner = data + number(kind, 1)
        header = number(APPLICATION, 1) + number(TLS_1_2, 2) + number(len(inner) + _TAG, 2)
        return header + self.aead.encrypt(self._nonce(), inner, header)

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """See Protection; the first record may be the plaintext alert of a client without keys."""
        if kind == ALERT and len(fragment) == _ALERT_BYTES and not self.sequence:
            return kind, fragment
        if kind != APPLICATION:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        header = number(kind, 1) + number(TLS_1_2, 2) + number(len(fragment), 2)
        # A record that cannot be decrypted may be skipped, and does not count.
        padded = _decrypt(self.aead, _masked(self.iv, self.sequence), fragment, header)
        self.sequence += 1
        if len(padded) > MAX_RECORD_BYTES + 1:
            raise Alert(AlertDescription.RECORD_OVERFLOW)
        inner = padded.rstrip(b"\0")
        if not inner or inner[-1] == CHANGE_CIPHER_SPEC:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE)
        return inner[-1], inner[:-1]

    def _nonce(self) -> bytes:
        self.sequence += 1
        return _masked(self.iv, self.sequence - 1)


@dataclass
class Tls12Protection:
    """AEAD in TLS 1.2: AES-GCM (RFC 5288, 3), ChaCha20-Poly1305 (RFC 7905, 2)."""

    aead: Aead
    iv: bytes = field(repr=False)
    sequence: int = 0

    def seal(self, kind: int, data: bytes) -> bytes:
        """See Protection."""
        explicit = number(self.sequence, 8)[: self._explicit]
        header = self._header(kind, len(data))
        sealed = self.aead.encrypt(self._nonce(explicit), data, header)
        return number(kind, 1) + number(TLS_1_2, 2) + vector(explicit + sealed, 2)

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """See Protection."""
        explicit, sealed = fragment[: self._explicit], fragment[self._explicit :]
        if len(explicit) < self._explicit or len(sealed) < _TAG:
            raise Alert(AlertDescription.BAD_RECORD_MAC)
        header = self._header(kind, len(sealed) - _TAG)
        return kind, _decrypt(self.aead, self._nonce(explicit), sealed, header)

    @property
    def _explicit(self) -> int:
        """Number of bytes of the nonce that are sent."""
        return 8 if isinstance(self.aead, AESGCM) else 0

    def _header(self, kind: int, size: int) -> bytes:
        return number(self.sequence, 8) + number(kind, 1) + number(TLS_1_2, 2) + number(size, 2)

    def _nonce(self, explicit: bytes) -> bytes:
        self.sequence += 1
        return self.iv + explicit if self._explicit else _masked(self.iv, self.sequence - 1)


class CbcProtection:
    """AES-CBC with HMAC-SHA-1 (RFC 2246 and RFC 5246, 6.2.3.2); ``writes`` selects the direction.

    In TLS 1.0 the last block of a record is the IV of the next; later versions start with a random block.
    This is not constant-time: a connection sends one response, which contains no secret.
    """

    def __init__(self, version: int, key: bytes, iv: bytes, mac: bytes, *, writes: bool) -> None:
        self._version, self._mac, self._sequence = version, mac, 0
        cipher = Cipher(algorithms.AES(key), modes.CBC(iv or bytes(_BLOCK)))
        self._cipher = cipher.encryptor() if writes else cipher.decryptor()
        # The random block is decrypted like the others and then dropped.
        self._explicit = 0 if version == TLS_1_0 else _BLOCK

    def seal(self, kind: int, data: bytes) -> bytes:
        """See Protection."""
        plain = os.urandom(self._explicit) + data + self._tag(kind, data)
        padding = _BLOCK - len(plain) % _BLOCK
        sealed = self._cipher.update(plain + bytes([padding - 1]) * padding)
        return number(kind, 1) + number(self._version, 2) + vector(sealed, 2)

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """See Protection."""
        if not fragment or len(fragment) % _BLOCK:
            raise Alert(AlertDescription.BAD_RECORD_MAC)
        plain = self._cipher.update(fragment)[self._explicit :]
        padding = plain[-1] + 1 if plain else 0
        data, tag = plain[: -padding - _MAC], plain[-padding - _MAC : -padding]
        padded = plain[-padding:] == bytes([padding - 1]) * padding if padding else False
        if not padded or len(tag) != _MAC or not hmac.compare_digest(tag, self._tag(kind, data)):
            raise Alert(AlertDescription.BAD_RECORD_MAC)
        return kind, data

    def _tag(self, kind: int, data: bytes) -> bytes:
        header = number(self._sequence, 8) + number(kind, 1) + number(self._version, 2)
        self._sequence += 1
        return hmac.digest(self._mac, header + vector(data, 2), "sha1")


def _masked(iv: bytes, sequence: int) -> bytes:
    """Return the nonce of a record (RFC 8446, 5.3)."""
    return (int.from_bytes(iv, "big") ^ sequence).to_bytes(len(iv), "big")


def _decrypt(aead: Aead, nonce: bytes, sealed: bytes, header: bytes) -> bytes:
    try:
        return aead.decrypt(nonce, sealed, header)
    except (InvalidTag, ValueError):
        raise Alert(AlertDescription.BAD_RECORD_MAC) from None


_NONCE, _SALT, _BLOCK, _MAC = 12, 4, 16, 20


@dataclass(frozen=True)
class CipherSuite:
    """A cipher suite: hash, cipher (None: AES-CBC with HMAC-SHA-1) and key size in bytes.

    ``iv`` is the number of nonce bytes that the PRF derives before TLS 1.3; for CBC it depends on the
    version.
    """

    digest: str
    aead: Callable[[bytes], Aead] | None
    key: int
    iv: int = 0


_AES128, _AES256 = CipherSuite("sha256", AESGCM, 16, _SALT), CipherSuite("sha384", AESGCM, 32, _SALT)
_CHACHA = CipherSuite("sha256", ChaCha20Poly1305, 32, _NONCE)
_CBC128, _CBC256 = CipherSuite("sha256", None, 16), CipherSuite("sha256", None, 32)

TLS_1_3_SUITES = {0x1301: _AES128, 0x1302: _AES256, 0x1303: _CHACHA}
"""RFC 8446, B.4."""
ECDHE_ECDSA = {
    0xC02B: _AES128,
    0xC02C: _AES256,
    0xCCA9: _CHACHA,
    0xC009: _CBC128,
    0xC00A: _CBC256,
}
"""Before TLS 1.3, for all keys except RSA (RFC 8422, RFC 5289, RFC 7905)."""
ECDHE_RSA = {
    0xC02F: _AES128,
    0xC030: _AES256,
    0xCCA8: _CHACHA,
    0xC013: _CBC128,
    0xC014: _CBC256,
}
"""Before TLS 1.3, for RSA keys."""


def tls13_protection(suite: CipherSuite, traffic: bytes) -> Protection:
    """Return the protection of one direction with a traffic secret (RFC 8446, 7.3)."""
    assert suite.aead is not None
    key = key_exchange.expand(suite.digest, traffic, "key", size=suite.key)
    return Tls13Protection(suite.aead(key), key_exchange.expand(suite.digest, traffic, "iv", size=_NONCE))


def tls12_protections(
    suite: CipherSuite, version: int, digest: str, master: bytes, seed: bytes
) -> tuple[Protection, Protection]:
    """Return the protections for reading and writing, from the key block (RFC 5246, 6.3).

    ``seed`` is the server random followed by the client random.
    """
    mac = 0 if suite.aead else _MAC
    iv = suite.iv if suite.aead else (_BLOCK if version == TLS_1_0 else 0)
    block = key_exchange.prf(digest, master, b"key expansion", seed, 2 * (mac + suite.key + iv))
    parts = list[bytes]()
    for size in (mac, mac, suite.key, suite.key, iv, iv):
        parts.append(block[:size])
        block = block[size:]
    if suite.aead is not None:
        return Tls12Protection(suite.aead(parts[2]), parts[4]), Tls12Protection(
            suite.aead(parts[3]), parts[5]
        )
    return (
        CbcProtection(version, parts[2], parts[4], parts[0], writes=False),
        CbcProtection(version, parts[3], parts[5], parts[1], writes=True),
    )
