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
from pkigen.serve.tls.client_hello import ClientHello
from pkigen.serve.tls.codec import Alert, AlertDescription, number, vector

Scheme = tuple[int, Signature | None]
"""A SignatureScheme and how to sign; None replaces the signature with random bytes."""

_PSS: tuple[Scheme, ...] = (
    (0x0804, Signature("sha256", pss=True)),
    (0x0805, Signature("sha384", pss=True)),
    (0x0806, Signature("sha512", pss=True)),
)
_PSS_WITH_PSS_KEY: tuple[Scheme, ...] = tuple((code + 5, signature) for code, signature in _PSS)
"""rsa_pss_pss_*, for certificates whose public key is only for RSASSA-PSS; the others are rsa_pss_rsae_*."""
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

_RFC_8446_CURVES = (0x0403, 0x0503, 0x0603)
_SCHEMES_WITHOUT_EXTENSION = (0x0201, 0x0203)
"""What a TLS 1.2 client without signature_algorithms supports (RFC 5246, 7.4.1.4.1)."""
_NAMES = {
    0x0403: "ecdsa_secp256r1_sha256",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
    0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0904: "mldsa44",
    0x0905: "mldsa65",
    0x0906: "mldsa87",
}
_DEFAULT_KIND = "ec-p256"
_RANDOM_SIGNATURE_BYTES = 64
_MAX_FAST_RSA_BITS = 3072


@dataclass(frozen=True)
class HandshakeSigner:
    """Signs handshakes.

    ``is_wrong`` inverts the last bit of every signature. ``ignores_offer`` uses a scheme that the client does
    not offer, if none fits the key: RFC 8446, 4.4.3 permits this, but only faults need it, so that the client
    sees their certificate. ``is_for_pss_only`` means that the certificate permits only RSASSA-PSS.
    """

    key: PrivateKey = field(repr=False)
    is_wrong: bool = False
    ignores_offer: bool = False
    is_for_pss_only: bool = False

    @property
    def rsa(self) -> bool:
        """Whether the key needs the RSA cipher suites of TLS 1.2."""
        return isinstance(self.key, RSAPrivateKey)

    @property
    def is_fast(self) -> bool:
        """Whether a signature takes less time than the rest of the handshake."""
        return not isinstance(self.key, RSAPrivateKey) or self.key.key_size <= _MAX_FAST_RSA_BITS

    def requires_tls12(self, offered: tuple[int, ...]) -> bool:
        """Whether the key does not fit TLS 1.3 with this client.

        RFC 8446 has no scheme for the key: its curve is an older one, or it is too short for RSA-PSS. Curves
        that later RFCs add to TLS 1.3 are used there if the client offers their scheme.
        """
        kind = kind_of(self.key)
        if self.ignores_offer:
            return False
        schemes = self._schemes(kind, is_tls13=True)
        if kind.family == "ec" and kind.tls_scheme not in _RFC_8446_CURVES:
            return kind.tls_scheme not in offered
        return not _usable(kind, schemes)

    def scheme(self, hello: ClientHello, *, is_tls13: bool) -> Scheme:
        """Return a scheme for the key that the client offers; raise the alert handshake_failure without one.

        Before TLS 1.3, the groups of the client apply to the curve of the key as well (RFC 8422, 5.1.1). With
        ``ignores_offer``, a key that cannot sign (ML-KEM, RSA with 512 bits) gets a random signature.
        """
        kind = kind_of(self.key)
        schemes = self._schemes(kind, is_tls13=is_tls13)
        usable = _usable(kind, schemes)
        offered = hello.schemes if is_tls13 or hello.schemes else _SCHEMES_WITHOUT_EXTENSION
        supports_curve = (
            is_tls13 or not kind.tls_group or kind.tls_group in (hello.groups or (kind.tls_group,))
        )
        if supports_curve and (scheme := next((one for one in usable if one[0] in offered), None)):
            return scheme
        if not self.ignores_offer:
            raise Alert(AlertDescription.HANDSHAKE_FAILURE)
        return usable[0] if usable else (schemes[0][0], None)

    def _schemes(self, kind: KeyKind, *, is_tls13: bool) -> tuple[Scheme, ...]:
        if kind.family == "rsa" and self.is_for_pss_only:
            return _PSS_WITH_PSS_KEY
        return _tls13_schemes(kind) if is_tls13 else _tls12_schemes(kind)

    def sign(self, content: bytes, scheme: Scheme) -> bytes:
        """Return the signature, encoded with its scheme (DigitallySigned, CertificateVerify)."""
        code, how = scheme
        signature = os.urandom(_RANDOM_SIGNATURE_BYTES) if how is None else sign(self.key, content, how)
        return number(code, 2) + vector(self._altered(signature), 2)

    def sign_tls10(self, content: bytes) -> bytes:
        """Return a TLS 1.0 signature (RFC 2246, 7.4.3): RSA over MD5 and SHA-1, or ECDSA with SHA-1."""
        if isinstance(self.key, RSAPrivateKey):
            digests = (one(content, usedforsecurity=False).digest() for one in (md5, sha1))
            signature = self.key.sign(b"".join(digests), PKCS1v15(), NoDigestInfo())
        elif kind_of(self.key).family == "ec":
            signature = sign(self.key, content, Signature("sha1"))
        else:
            signature = os.urandom(_RANDOM_SIGNATURE_BYTES)
        return vector(self._altered(signature), 2)

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


def required_of_clients(kind: str) -> str:
    """Return what a client must support to verify handshake signatures of a kind of key."""
    try:
        key_kind = parse_kind(kind)
    except ValueError:
        return f"signatures of {kind} keys"
    if key_kind.family == "rsa":
        return "RSA-PSS signatures with an RSA key (rsa_pss_rsae_*); in TLS 1.2, rsa_pkcs1_* is sufficient"
    if not key_kind.tls_scheme:
        # The older curves, DSA, ML-KEM, and SLH-DSA.
        return f"signatures of {kind} keys, for which TLS 1.3 has no scheme"
    name = f"the signature scheme {_NAMES[key_kind.tls_scheme]}"
    return f"{name}; in TLS 1.2, ECDSA and this curve" if key_kind.family == "ec" else name


def _usable(kind: KeyKind, schemes: tuple[Scheme, ...]) -> list[Scheme]:
    return [one for one in schemes if one[1] is not None and refusal(kind, one[1]) is None]


def _tls13_schemes(kind: KeyKind) -> tuple[Scheme, ...]:
    if kind.family == "rsa":
        return _PSS
    return (_ONLY.get(kind.name, _ECDSA[0]),)


def _tls12_schemes(kind: KeyKind) -> tuple[Scheme, ...]:
    if kind.family == "rsa":
        return (*_PKCS1, *_PSS)
    return _ECDSA if kind.family == "ec" else (_ONLY.get(kind.name, _ECDSA[0]),)
