"""Key exchange groups and key derivation: the TLS 1.3 key schedule and the PRF of earlier versions."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x448 import X448PrivateKey, X448PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.serve.tls.codec import Alert, AlertDescription, number, vector

VERIFY_DATA_BYTES = 12
"""Size of the verify_data in Finished before TLS 1.3."""


@dataclass(frozen=True)
class KeySchedule:
    """The TLS 1.3 key schedule of one handshake; ``digest`` is the hash of the cipher suite."""

    digest: str
    handshake: bytes = field(repr=False)

    @classmethod
    def of(cls, digest: str, shared: bytes) -> KeySchedule:
        """Derive the handshake secret from the shared secret, without a pre-shared key."""
        return cls(digest, hmac.digest(_salt_without_psk(digest), shared, digest))

    @property
    def master(self) -> bytes:
        """The master secret, from which the application traffic secrets are derived."""
        nothing = bytes(hashlib.new(self.digest).digest_size)
        return hmac.digest(_derived(self.digest, self.handshake), nothing, self.digest)

    def traffic(self, secret: bytes, label: str, transcript: bytes) -> bytes:
        """Derive a traffic secret from the messages so far (Derive-Secret)."""
        return expand(self.digest, secret, label, hashlib.new(self.digest, transcript).digest())

    def finished(self, traffic: bytes, transcript: bytes) -> bytes:
        """Return the verify_data of the side that has a traffic secret (RFC 8446, 4.4.4)."""
        key = expand(self.digest, traffic, "finished")
        return hmac.digest(key, hashlib.new(self.digest, transcript).digest(), self.digest)


def expand(digest: str, secret: bytes, label: str, context: bytes = b"", size: int | None = None) -> bytes:
    """HKDF-Expand-Label; ``size`` is at most the size of the digest, and defaults to it."""
    size = hashlib.new(digest).digest_size if size is None else size
    info = number(size, 2) + vector(b"tls13 " + label.encode(), 1) + vector(context, 1)
    return hmac.digest(secret, info + b"\x01", digest)[:size]


def updated(digest: str, traffic: bytes) -> bytes:
    """Return the application traffic secret that follows a KeyUpdate (RFC 8446, 7.2)."""
    return expand(digest, traffic, "traffic upd")


def check_verify_data(finished: bytes, expected: bytes) -> None:
    """Check the client's Finished; raise the alert decode_error for a wrong size, else decrypt_error."""
    if len(finished) != len(expected):
        raise Alert(AlertDescription.DECODE_ERROR)
    if not hmac.compare_digest(finished, expected):
        raise Alert(AlertDescription.DECRYPT_ERROR)


@cache
def _salt_without_psk(digest: str) -> bytes:
    nothing = bytes(hashlib.new(digest).digest_size)
    return _derived(digest, hmac.digest(nothing, nothing, digest))


def _derived(digest: str, secret: bytes) -> bytes:
    return expand(digest, secret, "derived", hashlib.new(digest).digest())


def prf(digest: str, secret: bytes, label: bytes, seed: bytes, size: int) -> bytes:
    """Return the output of the TLS 1.2 PRF with a digest; ``md5sha1`` is the PRF of TLS 1.0 (RFC 2246, 5)."""
    if digest != "md5sha1":
        return _p_hash(digest, secret, label + seed, size)
    half = (len(secret) + 1) // 2
    pair = (
        _p_hash("md5", secret[:half], label + seed, size),
        _p_hash("sha1", secret[-half:], label + seed, size),
    )
    return bytes(one ^ other for one, other in zip(*pair, strict=True))


def transcript_hash(digest: str, transcript: bytes) -> bytes:
    """Return the hash of all handshake messages, with the digest of the PRF."""
    if digest != "md5sha1":
        return hashlib.new(digest, transcript).digest()
    digests = (hashlib.new(name, transcript, usedforsecurity=False) for name in ("md5", "sha1"))
    return b"".join(one.digest() for one in digests)


def _p_hash(digest: str, secret: bytes, seed: bytes, size: int) -> bytes:
    output, link = b"", seed
    while len(output) < size:
        link = hmac.digest(secret, link, digest)
        output += hmac.digest(secret, link + seed, digest)
    return output[:size]


_CURVES: dict[int, Callable[[], ec.EllipticCurve]] = {23: ec.SECP256R1, 24: ec.SECP384R1, 25: ec.SECP521R1}
_X25519, _X448 = 29, 30
_UNCOMPRESSED = b"\x04"
P256 = 23
GROUPS = (_X25519, *_CURVES, _X448)
"""Supported groups, in order of preference (RFC 8446, 4.2.7)."""


@dataclass(frozen=True)
class KeyShare:
    """A key share of the server: its public value, and the key agreement with a client's share."""

    group: int
    public: bytes
    _exchange: Callable[[bytes], bytes] = field(repr=False)

    def secret(self, peer: bytes) -> bytes:
        """Return the shared secret; raise the alert illegal_parameter for an invalid share."""
        try:
            return self._exchange(peer)
        except ValueError:
            raise Alert(AlertDescription.ILLEGAL_PARAMETER) from None


def new_key_share(group: int) -> KeyShare:
    """Generate a key share of one of ``GROUPS``."""
    if group == _X25519:
        short = X25519PrivateKey.generate()
        return KeyShare(
            group,
            short.public_key().public_bytes_raw(),
            lambda peer: short.exchange(X25519PublicKey.from_public_bytes(peer)),
        )
    if group == _X448:
        long = X448PrivateKey.generate()
        return KeyShare(
            group,
            long.public_key().public_bytes_raw(),
            lambda peer: long.exchange(X448PublicKey.from_public_bytes(peer)),
        )
    curve = _CURVES[group]()
    key = ec.generate_private_key(curve)

    def exchange(peer: bytes) -> bytes:
        if peer[:1] != _UNCOMPRESSED:
            raise ValueError("TLS uses only uncompressed points (RFC 8422, 5.1.2)")
        return key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, peer))

    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return KeyShare(group, public, exchange)
