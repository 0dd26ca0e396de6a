"""From a shared secret to keys: TLS 1.3's schedule (RFC 8446, 7.1), the PRF before it (RFC 5246, 5)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from pkigen.serve.tls.codec import number, vector

VERIFY_OCTETS = 12
"""How long the contents of Finished are before TLS 1.3."""


@dataclass(frozen=True)
class Schedule:
    """TLS 1.3's keys of one handshake; ``digest`` is the cipher suite's hash."""

    digest: str
    handshake: bytes = field(repr=False)

    @classmethod
    def of(cls, digest: str, shared: bytes) -> Schedule:
        """After the key exchange, without a pre-shared key."""
        nothing = bytes(hashlib.new(digest).digest_size)
        early = hmac.digest(nothing, nothing, digest)
        return cls(digest, hmac.digest(_derived(digest, early), shared, digest))

    @property
    def master(self) -> bytes:
        """The secret that those of application data come from."""
        nothing = bytes(hashlib.new(self.digest).digest_size)
        return hmac.digest(_derived(self.digest, self.handshake), nothing, self.digest)

    def traffic(self, secret: bytes, label: str, transcript: bytes) -> bytes:
        """Derive-Secret over the messages so far."""
        return expand(self.digest, secret, label, hashlib.new(self.digest, transcript).digest())

    def finished(self, traffic: bytes, transcript: bytes) -> bytes:
        """The contents of Finished (RFC 8446, 4.4.4) of the side whose traffic secret it is."""
        key = expand(self.digest, traffic, "finished")
        return hmac.digest(key, hashlib.new(self.digest, transcript).digest(), self.digest)


def expand(digest: str, secret: bytes, label: str, context: bytes = b"", size: int | None = None) -> bytes:
    """HKDF-Expand-Label; as long as the digest if no size is given, and never longer."""
    size = hashlib.new(digest).digest_size if size is None else size
    info = number(size, 2) + vector(b"tls13 " + label.encode(), 1) + vector(context, 1)
    return hmac.digest(secret, info + b"\x01", digest)[:size]


def _derived(digest: str, secret: bytes) -> bytes:
    return expand(digest, secret, "derived", hashlib.new(digest).digest())


def prf(digest: str, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """The PRF of TLS 1.2 with a digest; with ``md5sha1`` that of TLS 1.0 (RFC 2246, 5)."""
    if digest != "md5sha1":
        return _p_hash(digest, secret, label + seed, size)
    half = (len(secret) + 1) // 2
    pair = (
        _p_hash("md5", secret[:half], label + seed, size),
        _p_hash("sha1", secret[-half:], label + seed, size),
    )
    return bytes(one ^ other for one, other in zip(*pair, strict=True))


def transcript_hash(digest: str, transcript: bytes) -> bytes:
    """The hash of all messages that the PRF's digest goes with."""
    if digest != "md5sha1":
        return hashlib.new(digest, transcript).digest()
    digests = (hashlib.new(name, transcript, usedforsecurity=False) for name in ("md5", "sha1"))
    return b"".join(one.digest() for one in digests)


def _p_hash(digest: str, secret: bytes, seed: bytes, size: int) -> bytes:
    made, link = b"", seed
    while len(made) < size:
        link = hmac.digest(secret, link, digest)
        made += hmac.digest(secret, link + seed, digest)
    return made[:size]
