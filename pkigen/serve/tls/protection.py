"""How records are protected: not at all, TLS 1.3's way, with an AEAD before it, with CBC and HMAC."""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from pkigen.serve.tls.alerts import Alert, Description
from pkigen.serve.tls.client_hello import TLS_1_0, TLS_1_2
from pkigen.serve.tls.codec import number, vector

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
_TAG, _BLOCK, _MAC = 16, 16, 20
_ALERT_OCTETS = 2

Aead = AESGCM | ChaCha20Poly1305


class Protection(Protocol):
    """One direction of a connection."""

    def seal(self, kind: int, data: bytes) -> bytes:
        """A whole record with ``data`` of a content type, its header in front."""
        ...

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """Content type and data out of what stands behind a record's header."""
        ...


@dataclass
class Plain:
    """Records as they are before keys are agreed on; ``version`` is what their headers say."""

    version: int = TLS_1_2

    def seal(self, kind: int, data: bytes) -> bytes:
        """See Protection."""
        return number(kind, 1) + number(self.version, 2) + vector(data, 2)

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """See Protection."""
        return kind, fragment


@dataclass
class Modern:
    """TLS 1.3 (RFC 8446, 5.2): the content type is inside."""

    aead: Aead
    iv: bytes = field(repr=False)
    sequence: int = 0

    def seal(self, kind: int, data: bytes) -> bytes:
        """See Protection."""
        inner = data + number(kind, 1)
        header = number(APPLICATION, 1) + number(TLS_1_2, 2) + number(len(inner) + _TAG, 2)
        return header + self.aead.encrypt(self._nonce(), inner, header)

    def open(self, kind: int, fragment: bytes) -> tuple[int, bytes]:
        """See Protection. A change_cipher_spec is never protected, nor the alert of a client without keys."""
        if kind == CHANGE_CIPHER_SPEC or (kind == ALERT and len(fragment) == _ALERT_OCTETS):
            return kind, fragment
        if kind != APPLICATION:
            raise Alert(Description.UNEXPECTED_MESSAGE)
        header = number(kind, 1) + number(TLS_1_2, 2) + number(len(fragment), 2)
        inner = _decrypt(self.aead, self._nonce(), fragment, header).rstrip(b"\0")
        if not inner:
            raise Alert(Description.UNEXPECTED_MESSAGE)
        return inner[-1], inner[:-1]

    def _nonce(self) -> bytes:
        self.sequence += 1
        return _masked(self.iv, self.sequence - 1)


@dataclass
class Older:
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
            raise Alert(Description.BAD_RECORD_MAC)
        header = self._header(kind, len(sealed) - _TAG)
        return kind, _decrypt(self.aead, self._nonce(explicit), sealed, header)

    @property
    def _explicit(self) -> int:
        """How many octets of the nonce are sent."""
        return 8 if isinstance(self.aead, AESGCM) else 0

    def _header(self, kind: int, size: int) -> bytes:
        return number(self.sequence, 8) + number(kind, 1) + number(TLS_1_2, 2) + number(size, 2)

    def _nonce(self, explicit: bytes) -> bytes:
        self.sequence += 1
        return self.iv + explicit if self._explicit else _masked(self.iv, self.sequence - 1)


class Cbc:
    """AES-CBC with HMAC-SHA-1 (RFC 2246 and RFC 5246, 6.2.3.2); ``writes`` says for which direction.

    In TLS 1.0 a record goes on where the one before ended, later versions begin with a block at random.
    Nothing here runs in constant time: there is one answer on a connection, and no secret in it.
    """

    def __init__(self, version: int, key: bytes, iv: bytes, mac: bytes, *, writes: bool) -> None:
        self._version, self._mac, self._sequence = version, mac, 0
        cipher = Cipher(algorithms.AES(key), modes.CBC(iv or bytes(_BLOCK)))
        self._cipher = cipher.encryptor() if writes else cipher.decryptor()
        # The block at random is one like any other: what it decrypts to is left out.
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
            raise Alert(Description.BAD_RECORD_MAC)
        plain = self._cipher.update(fragment)[self._explicit :]
        padding = plain[-1] + 1 if plain else 0
        data, tag = plain[: -padding - _MAC], plain[-padding - _MAC : -padding]
        padded = plain[-padding:] == bytes([padding - 1]) * padding if padding else False
        if not padded or len(tag) != _MAC or not hmac.compare_digest(tag, self._tag(kind, data)):
            raise Alert(Description.BAD_RECORD_MAC)
        return kind, data

    def _tag(self, kind: int, data: bytes) -> bytes:
        header = number(self._sequence, 8) + number(kind, 1) + number(self._version, 2)
        self._sequence += 1
        return hmac.digest(self._mac, header + vector(data, 2), "sha1")


def _masked(iv: bytes, sequence: int) -> bytes:
    """The nonce of a record (RFC 8446, 5.3)."""
    return (int.from_bytes(iv, "big") ^ sequence).to_bytes(len(iv), "big")


def _decrypt(aead: Aead, nonce: bytes, sealed: bytes, header: bytes) -> bytes:
    try:
        return aead.decrypt(nonce, sealed, header)
    except (InvalidTag, ValueError):
        raise Alert(Description.BAD_RECORD_MAC) from None
