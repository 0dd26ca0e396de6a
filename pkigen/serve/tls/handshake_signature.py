"""Signs handshakes with the key of the certificate, or creates a wrong signature for a fault."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import md5, sha1

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo

from pkigen.keys import PrivateKey, kind_of
from pkigen.keys.kinds import FIXED_KINDS, KeyKind, parse_kind, refusal
from pkigen.keys.signing import sign
from pkigen.keys.sources import FreshKeys
from pkigen.model import Signature

Scheme = tuple[int, Signature]

_PSS: tuple[Scheme, ...] = (
    (0x0804, Signature("sha256", pss=True)),
    (0x0805, Signature("sha384", pss=True)),
    (0x0806, Signature("sha512", pss=True)),
)
_PKCS1: tuple[Scheme, ...] = (
    (0x0401, Signature("sha256")),
    (0x0501, Signature("sha384")),
    (0x0601, Signature("sha512")),
    (0x0201, Signature("sha1")),
)
_ECDSA: tuple[Scheme, ...] = (
    (0x0403, Signature("sha256")),
    (0x0503, Signature("sha384")),
    (0x0603, Signature("sha512")),
    (0x0203, Signature("sha1")),
)
_ONLY = {
    kind.name: (kind.tls_scheme, Signature(kind.digest)) for kind in FIXED_KINDS.values() if kind.tls_scheme
}
"""The only signature scheme that TLS 1.3 allows for a key of each kind."""

_DEFAULT_KIND = "ec-p256"
_RANDOM_SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class HandshakeSigner:
    """Signs handshakes; ``is_wrong`` inverts the last bit of every signature."""

    key: PrivateKey = field(repr=False)
    is_wrong: bool = False

    @property
    def rsa(self) -> bool:
        """Whether the key needs the RSA cipher suites of TLS 1.2."""
        return isinstance(self.key, RSAPrivateKey)

    def sign(self, content: bytes, offered: tuple[int, ...], *, is_tls13: bool) -> tuple[int, bytes]:
        """Return scheme and signature; the scheme is one that the client offers, if there is one.

        Otherwise any scheme is used, against RFC 8446, 4.4.3, so that the client sees the certificate. A key
        that cannot sign (ML-KEM, RSA with 512 bits) is replaced by random bytes in the signature.
        """
        kind = kind_of(self.key)
        schemes = _tls13_schemes(kind) if is_tls13 else _tls12_schemes(kind)
        usable = [one for one in schemes if refusal(kind, one[1]) is None]
        if not usable:
            return schemes[0][0], os.urandom(_RANDOM_SIGNATURE_BYTES)
        code, signature = next((one for one in usable if one[0] in offered), usable[0])
        return code, self._altered(sign(self.key, content, signature))

    def sign_tls10(self, content: bytes) -> bytes:
        """Return a TLS 1.0 signature (RFC 2246, 7.4.3): RSA over MD5 and SHA-1, or ECDSA with SHA-1."""
        if isinstance(self.key, RSAPrivateKey):
            digests = (one(content, usedforsecurity=False).digest() for one in (md5, sha1))
            return self._altered(self.key.sign(b"".join(digests), PKCS1v15(), NoDigestInfo()))
        if kind_of(self.key).family != "ec":
            return os.urandom(_RANDOM_SIGNATURE_BYTES)
        return self._altered(sign(self.key, content, Signature("sha1")))

    def _altered(self, signature: bytes) -> bytes:
        return signature[:-1] + bytes((signature[-1] ^ self.is_wrong,))


@lru_cache(maxsize=16)
def throwaway_key(kind: str) -> PrivateKey:
    """Return a throwaway key of a kind, or of one that signs in the same way; cached by kind."""
    try:
        key_kind = parse_kind(kind)
    except ValueError:
        key_kind = parse_kind(_DEFAULT_KIND)
    # Generating a long RSA key takes minutes, and the scheme does not depend on the size.
    key_kind = parse_kind("rsa-2048") if key_kind.family == "rsa" else key_kind
    return FreshKeys().generate(key_kind, "")


def _tls13_schemes(kind: KeyKind) -> tuple[Scheme, ...]:
    if kind.family == "rsa":
        return _PSS
    return (_ONLY.get(kind.name, _ECDSA[0]),)


def _tls12_schemes(kind: KeyKind) -> tuple[Scheme, ...]:
    if kind.family == "rsa":
        return (*_PKCS1, *_PSS)
    return _ECDSA if kind.family == "ec" else (_ONLY.get(kind.name, _ECDSA[0]),)
