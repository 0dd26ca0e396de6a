"""The proof that a server has its certificate's key: a signature, or one that is wrong on purpose."""

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

_STAND_IN = "ec-p256"
_SPARE_OCTETS = 64


@dataclass(frozen=True)
class Prover:
    """Signs handshakes. ``spoiled`` turns the last bit of every signature."""

    key: PrivateKey = field(repr=False)
    spoiled: bool = False

    @property
    def rsa(self) -> bool:
        """Whether the cipher suites for RSA are the ones before TLS 1.3."""
        return isinstance(self.key, RSAPrivateKey)

    def prove(self, content: bytes, offered: tuple[int, ...], *, modern: bool) -> tuple[int, bytes]:
        """Scheme and signature, by a scheme that the client offered or else one that it did not.

        The latter is against RFC 8446, 4.4.3, and what lets a client without any for such a key see the
        certificate all the same. A key that can sign no handshake (ML-KEM, RSA with 512 bits) proves
        nothing: octets at random stand in the signature's place.
        """
        kind = kind_of(self.key)
        schemes = _modern(kind) if modern else _older(kind)
        able = [one for one in schemes if refusal(kind, one[1]) is None]
        if not able:
            return schemes[0][0], os.urandom(_SPARE_OCTETS)
        code, signature = next((one for one in able if one[0] in offered), able[0])
        return code, self._finished(sign(self.key, content, signature))

    def prove_to_old(self, content: bytes) -> bytes:
        """The signature of TLS 1.0 (RFC 2246, 7.4.3): RSA over MD5 and SHA-1 without a name, or SHA-1."""
        if isinstance(self.key, RSAPrivateKey):
            digests = (one(content, usedforsecurity=False).digest() for one in (md5, sha1))
            return self._finished(self.key.sign(b"".join(digests), PKCS1v15(), NoDigestInfo()))
        if kind_of(self.key).family != "ec":
            return os.urandom(_SPARE_OCTETS)
        return self._finished(sign(self.key, content, Signature("sha1")))

    def _finished(self, signature: bytes) -> bytes:
        return signature[:-1] + bytes((signature[-1] ^ self.spoiled,))


@lru_cache(maxsize=16)
def stand_in(kind: str) -> PrivateKey:
    """A key that is nobody's, of a kind or one that signs in the same way; the same one each time."""
    try:
        wanted = parse_kind(kind)
    except ValueError:
        wanted = parse_kind(_STAND_IN)
    # Long RSA keys take minutes, and the scheme does not tell the length.
    wanted = parse_kind("rsa-2048") if wanted.family == "rsa" else wanted
    return FreshKeys().generate(wanted, "")


def _modern(kind: KeyKind) -> tuple[Scheme, ...]:
    if kind.family == "rsa":
        return _PSS
    return (_ONLY.get(kind.name, _ECDSA[0]),)


def _older(kind: KeyKind) -> tuple[Scheme, ...]:
    if kind.family == "rsa":
        return (*_PKCS1, *_PSS)
    return _ECDSA if kind.family == "ec" else (_ONLY.get(kind.name, _ECDSA[0]),)
