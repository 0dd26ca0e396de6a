"""Checks whether a signature was created with the private key of a public key."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pkigen.asn1 import der
from pkigen.errors import panics_as_errors
from pkigen.keys.signing import DIGESTS
from pkigen.keys.slh_dsa import SlhDsaPublicKey
from pkigen.x509 import AlgorithmIdentifier, Certificate, CertificateList, CertificationRequest, Malformed
from pkigen.x509.decode import decoder
from pkigen.x509.public_key import public_key

_PSS = "1.2.840.113549.1.1.10"
_LONGEST_RSA = 16_384
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    **DIGESTS,
    "sha3-256": hashes.SHA3_256(),
    "sha3-384": hashes.SHA3_384(),
    "sha3-512": hashes.SHA3_512(),
}
Pure = (
    ed25519.Ed25519PublicKey
    | ed448.Ed448PublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
    | SlhDsaPublicKey
)
_PURE: dict[str, type[Pure]] = {
    "Ed25519": ed25519.Ed25519PublicKey,
    "Ed448": ed448.Ed448PublicKey,
    "ML-DSA-44": mldsa.MLDSA44PublicKey,
    "ML-DSA-65": mldsa.MLDSA65PublicKey,
    "ML-DSA-87": mldsa.MLDSA87PublicKey,
    "SLH-DSA-SHA2-128f": SlhDsaPublicKey,
}
Signed = Certificate | CertificateList | CertificationRequest


class Verdict(StrEnum):
    """Result of a verification; ``UNKNOWN`` if the algorithm or the key is unsupported."""

    GOOD = "verifies"
    BAD = "does not verify"
    UNKNOWN = "cannot be verified here"


def verdict(signed: Signed, public_key_info: bytes) -> Verdict:
    """Return whether a key signed a certificate, CRL or request. Never raises."""
    octets = signed.info if isinstance(signed, CertificationRequest) else signed.tbs
    try:
        signature = signed.signature
    except Malformed:
        return Verdict.BAD
    try:
        algorithm = signed.signature_algorithm
    except ValueError:
        return Verdict.UNKNOWN
    return verdict_of(octets, algorithm, signature, public_key_info)


def verdict_of(
    octets: bytes, algorithm: AlgorithmIdentifier, signature: bytes, public_key_info: bytes
) -> Verdict:
    """Return whether a key created a signature over ``octets``. Never raises."""
    try:
        if public_key(public_key_info).size > _LONGEST_RSA:
            return Verdict.UNKNOWN
        key = SlhDsaPublicKey.from_info(public_key_info) or load_der_public_key(public_key_info)
        _verify(key, algorithm, signature, octets)
    except InvalidSignature:
        return Verdict.BAD
    except (ValueError, UnsupportedAlgorithm, KeyError):
        return Verdict.UNKNOWN
    return Verdict.GOOD


def is_supported(public_key_info: bytes) -> bool:
    """Return whether OpenSSL can use a public key. Never raises."""
    try:
        with panics_as_errors():
            load_der_public_key(public_key_info)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return True


def may_be_self_signed(certificate: Certificate) -> bool:
    """Return whether a certificate is self-issued, and nothing in it names another key as its issuer's.

    A root with a wrong signature is still a root. If the key identifiers (RFC 5280, 4.2.1.1 and 4.2.1.2)
    differ, the signature decides.
    """
    return certificate.is_self_issued and (
        _names_own_key(certificate) or is_signed_by(certificate, certificate)
    )


def _names_own_key(certificate: Certificate) -> bool:
    try:
        authority = certificate.extensions.authority_key_identifier
        own = certificate.extensions.subject_key_identifier
    except Malformed:
        return True
    return authority is None or None in (authority.key_identifier, own) or authority.key_identifier == own


@lru_cache(maxsize=4096)
def is_signed_by(signed: Certificate | CertificateList, issuer: Certificate) -> bool:
    """Return whether the key of another certificate signed a certificate or a CRL."""
    return verdict(signed, issuer.subject_public_key_info) is Verdict.GOOD


def _verify(key: object, algorithm: AlgorithmIdentifier, signature: bytes, octets: bytes) -> None:
    """Raise InvalidSignature also if key and algorithm do not match; KeyError for unknown digests."""
    name = algorithm.name
    if name in _PURE:
        if not isinstance(key, _PURE[name]):
            raise InvalidSignature
        key.verify(signature, octets)
        return
    digest = _DIGESTS[algorithm.digest]
    if isinstance(key, rsa.RSAPublicKey) and algorithm.oid == _PSS:
        mask = padding.MGF1(_DIGESTS[_mask_digest(algorithm)])
        key.verify(signature, octets, padding.PSS(mask, padding.PSS.AUTO), digest)
    elif isinstance(key, rsa.RSAPublicKey) and "RSA" in name:
        key.verify(signature, octets, padding.PKCS1v15(), digest)
    elif isinstance(key, ec.EllipticCurvePublicKey) and name.startswith("ecdsa"):
        key.verify(signature, octets, ec.ECDSA(digest))
    elif isinstance(key, dsa.DSAPublicKey) and name.startswith("dsa"):
        key.verify(signature, octets, digest)
    else:
        raise InvalidSignature


@decoder("the RSASSA-PSS parameters")
def _mask_digest(algorithm: AlgorithmIdentifier) -> str:
    """Return the digest of MGF1, [1] of RSASSA-PSS-params; the default is SHA-1 (RFC 4055, 3.1)."""
    for parameter in der.children(algorithm.parameters or b"\x30\x00"):
        if parameter[0] == 0xA1:
            _, digest = der.children(der.children(parameter)[0])
            # Parse it as the field [0], whose AlgorithmIdentifier type knows the digest names.
            return AlgorithmIdentifier(_PSS, der.sequence(der.explicit(0, digest))).digest
    return "sha1"
