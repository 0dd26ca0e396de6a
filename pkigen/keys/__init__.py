"""Private keys: loading, encoding, kinds, and public key information."""

from __future__ import annotations

from hashlib import sha1

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey, DSAPublicKey
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey, Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA44PublicKey,
    MLDSA65PrivateKey,
    MLDSA65PublicKey,
    MLDSA87PrivateKey,
    MLDSA87PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from pkigen.asn1 import der
from pkigen.keys.kinds import FIXED_KINDS, KeyKind, parse_kind
from pkigen.keys.slh_dsa import SlhDsaPrivateKey, SlhDsaPublicKey

PrivateKey = (
    RSAPrivateKey
    | EllipticCurvePrivateKey
    | Ed25519PrivateKey
    | Ed448PrivateKey
    | MLDSA44PrivateKey
    | MLDSA65PrivateKey
    | MLDSA87PrivateKey
    | DSAPrivateKey
    | MLKEM768PrivateKey
    | X25519PrivateKey
    | SlhDsaPrivateKey
)

_KINDS_BY_CURVE = {getattr(ec, kind.curve).name: kind for kind in FIXED_KINDS.values() if kind.family == "ec"}
_OTHERS: dict[type, str] = {
    Ed25519PublicKey: "ed25519",
    Ed448PublicKey: "ed448",
    MLDSA44PublicKey: "ml-dsa-44",
    MLDSA65PublicKey: "ml-dsa-65",
    MLDSA87PublicKey: "ml-dsa-87",
    DSAPublicKey: "dsa-2048",
    MLKEM768PublicKey: "ml-kem-768",
    X25519PublicKey: "x25519",
    SlhDsaPublicKey: "slh-dsa-sha2-128f",
}


def load_pkcs8(pkcs8: bytes, *, check: bool = False) -> PrivateKeyTypes | SlhDsaPrivateKey:
    """Load a PKCS#8 key of any kind; ``check`` checks the numbers of an RSA key, which takes 40 ms.

    Raises ValueError or UnsupportedAlgorithm if neither cryptography nor pkigen supports its kind.
    """
    own = SlhDsaPrivateKey.from_pkcs8(pkcs8)
    return own or load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=not check)


def load_private(pkcs8: bytes) -> PrivateKey:
    """Load a PKCS#8 key that pkigen wrote, without a check of its numbers.

    Raises ValueError for a kind of key that pkigen does not support.
    """
    key = load_pkcs8(pkcs8)
    if not isinstance(key, PrivateKey):
        raise ValueError(f"a {type(key).__name__.removesuffix('PrivateKey')} key is not supported")
    return key


def to_pkcs8(key: PrivateKey) -> bytes:
    """Return a key as unencrypted PKCS#8 DER."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def kind_of(key: PrivateKey) -> KeyKind:
    """Return the kind of a key; raise ValueError for an unsupported elliptic curve."""
    if isinstance(key, RSAPrivateKey):
        return KeyKind(f"rsa-{key.key_size}", "rsa", key.key_size)
    if isinstance(key, EllipticCurvePrivateKey):
        return _of_curve(key.curve)
    return kind_of_public(key.public_key())


def kind_of_public(key: object) -> KeyKind:
    """Return the kind of a public key; raise ValueError for an unsupported one."""
    if isinstance(key, RSAPublicKey):
        return KeyKind(f"rsa-{key.key_size}", "rsa", key.key_size)
    if isinstance(key, EllipticCurvePublicKey):
        return _of_curve(key.curve)
    for known, name in _OTHERS.items():
        if isinstance(key, known):
            return parse_kind(name)
    raise ValueError(f"a key of type {type(key).__name__} is not supported")


def _of_curve(curve: EllipticCurve) -> KeyKind:
    if curve.name not in _KINDS_BY_CURVE:
        raise ValueError(f"the curve {curve.name} is not supported")
    return _KINDS_BY_CURVE[curve.name]


def public_key_info(key: PrivateKey) -> bytes:
    """Return the SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7)."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_identifier(public_key_info: bytes) -> bytes:
    """Return the SHA-1 digest of the public key's bits: method (1) of RFC 5280, 4.2.1.2."""
    _, bits = der.children(public_key_info)
    return sha1(der.contents(bits)[1:], usedforsecurity=False).digest()
