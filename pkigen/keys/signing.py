"""Signatures and their AlgorithmIdentifiers for every key kind, including deterministic PSS and ML-DSA."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from importlib import import_module
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import (
    MLDSA44PrivateKey,
    MLDSA65PrivateKey,
    MLDSA87PrivateKey,
)
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import Hash, HashAlgorithm

from pkigen.asn1 import der
from pkigen.errors import InputError
from pkigen.keys import PrivateKey, forged, kind_of
from pkigen.keys.entropy import Entropy
from pkigen.keys.kinds import KeyKind, digest_of
from pkigen.keys.slh_dsa import SlhDsaPrivateKey
from pkigen.model import Signature


def sign_pss(
    key: RSAPrivateKey, message: bytes, digest: HashAlgorithm, mask: HashAlgorithm, salt: bytes
) -> bytes:
    """Return the PSS signature over ``message``; ``mask`` is the digest of MGF1."""
    encoded = _encode(message, key.key_size - 1, digest, mask, salt)
    numbers = key.private_numbers()
    p, q = numbers.p, numbers.q
    value = int.from_bytes(encoded, "big")
    in_p, in_q = pow(value, numbers.dmp1, p), pow(value, numbers.dmq1, q)
    signature = in_q + (in_p - in_q) * numbers.iqmp % p * q
    return signature.to_bytes((key.key_size + 7) // 8, "big")


def _encode(message: bytes, bits: int, digest: HashAlgorithm, mask: HashAlgorithm, salt: bytes) -> bytes:
    """Return the EMSA-PSS encoding of a message, with at most ``bits`` bits."""
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


def sign_deterministically(
    key: MLDSA44PrivateKey | MLDSA65PrivateKey | MLDSA87PrivateKey, kind: KeyKind, data: bytes
) -> bytes:
    """Return the deterministic signature over ``data`` with an empty context."""
    scheme = _scheme(kind)
    _, expanded = scheme.key_derive(key.private_bytes_raw())
    signature: bytes = scheme.sign(expanded, data, deterministic=True)
    return signature


@lru_cache(maxsize=3)
def _scheme(kind: KeyKind) -> Any:
    try:
        ml_dsa = import_module("dilithium_py.ml_dsa")
    except ImportError as error:
        raise InputError(
            f"--seed with {kind.name} signatures needs a library more: pip install 'pkigen[seed]'"
        ) from error
    return getattr(ml_dsa, f"ML_DSA_{kind.size}")


DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),  # noqa: S303  # broken on request: for negative tests
    "sha1": hashes.SHA1(),  # noqa: S303
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_RSA = {
    "md5": "1.2.840.113549.1.1.4",
    "sha1": "1.2.840.113549.1.1.5",
    "sha224": "1.2.840.113549.1.1.14",
    "sha256": "1.2.840.113549.1.1.11",
    "sha384": "1.2.840.113549.1.1.12",
    "sha512": "1.2.840.113549.1.1.13",
}
_ECDSA = {
    "sha1": "1.2.840.10045.4.1",
    "sha224": "1.2.840.10045.4.3.1",
    "sha256": "1.2.840.10045.4.3.2",
    "sha384": "1.2.840.10045.4.3.3",
    "sha512": "1.2.840.10045.4.3.4",
}
DIGEST_OIDS = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_PSS, _MGF1 = "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
_DSA_WITH_SHA256 = "2.16.840.1.101.3.4.3.2"
_DEFAULT_SALT = 20


def signature_algorithm(key: PrivateKey, signature: Signature) -> bytes:
    """Return the DER AlgorithmIdentifier for ``sign``."""
    return algorithm_of(kind_of(key), signature)


@lru_cache(maxsize=64)
def algorithm_of(kind: KeyKind, signature: Signature) -> bytes:
    """Return the DER AlgorithmIdentifier of a signature by a key of a kind."""
    digest = digest_of(kind, signature)
    if kind.family == "ec":
        return der.sequence(der.oid(_ECDSA[digest]))
    if kind.family == "dsa":
        return der.sequence(der.oid(_DSA_WITH_SHA256))
    if kind.family != "rsa":
        return der.sequence(der.oid(kind.oid))
    if not signature.pss:
        return der.sequence(der.oid(_RSA[digest]), der.null())
    hash_algorithm = der.sequence(der.oid(DIGEST_OIDS[digest]), der.null())
    mask_algorithm = der.sequence(der.oid(DIGEST_OIDS[signature.mask or digest]), der.null())
    salt = DIGESTS[digest].digest_size if signature.salt is None else signature.salt
    # DER omits fields that equal the default (SHA-1, and 20 bytes of salt).
    parameters = list[bytes]()
    if digest != "sha1":
        parameters.append(der.explicit(0, hash_algorithm))
    if (signature.mask or digest) != "sha1":
        parameters.append(der.explicit(1, der.sequence(der.oid(_MGF1), mask_algorithm)))
    if salt != _DEFAULT_SALT:
        parameters.append(der.explicit(2, der.integer(salt)))
    return der.sequence(der.oid(_PSS), der.sequence(*parameters))


def sign(key: PrivateKey, data: bytes, signature: Signature, entropy: Entropy | None = None) -> bytes:
    """Return the signature value over ``data``; with ``entropy``, equal input gives equal bytes.

    By default a PSS salt has the length of the digest (RFC 4055, 3.1).
    """
    return signing(key, signature, entropy)(data)


def signing(
    key: PrivateKey, signature: Signature, entropy: Entropy | None = None
) -> Callable[[bytes], bytes]:
    """Return the function that signs with a key, for many signatures; see ``sign``."""
    kind = kind_of(key)
    digest = DIGESTS.get(digest_of(kind, signature), DIGESTS["sha256"])
    if isinstance(key, RSAPrivateKey):
        if signature.bare_digest_info:
            return lambda data: key.sign(_bare_digest_info(data, digest), padding.PKCS1v15(), NoDigestInfo())
        if not signature.pss:
            return partial(key.sign, padding=padding.PKCS1v15(), algorithm=digest)
        salt = digest.digest_size if signature.salt is None else signature.salt
        mask = DIGESTS[signature.mask] if signature.mask else digest
        if entropy is not None:
            return lambda data: sign_pss(key, data, digest, mask, entropy.read(salt, "pss", data.hex()))
        return partial(key.sign, padding=padding.PSS(padding.MGF1(mask), salt), algorithm=digest)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if signature.own_generator:
            return lambda data: forged.sign_with_own_generator(key, kind.order, _hash(digest, data), entropy)
        algorithm = ec.ECDSA(digest, deterministic_signing=entropy is not None)
        return partial(key.sign, signature_algorithm=algorithm)
    if isinstance(key, DSAPrivateKey):
        return lambda data: forged.sign_dsa(key, _hash(DIGESTS["sha256"], data), entropy)
    if isinstance(key, MLKEM768PrivateKey | X25519PrivateKey):
        raise TypeError(f"nothing is signed with a key of kind {kind.name} here")
    if isinstance(key, Ed25519PrivateKey | Ed448PrivateKey | SlhDsaPrivateKey) or entropy is None:
        return key.sign
    return partial(sign_deterministically, key, kind)


def _bare_digest_info(data: bytes, digest: HashAlgorithm) -> bytes:
    """Return a DigestInfo (RFC 8017, 9.2) whose algorithm has no parameters."""
    return der.sequence(
        der.sequence(der.oid(DIGEST_OIDS[digest.name])), der.octet_string(_hash(digest, data))
    )
