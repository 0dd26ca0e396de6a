"""JSON Web Signatures in the form that ACME requires (RFC 8555, 6.2; RFC 7515, 7517, 7518, 7638, 8037).

josepy is not used: it has no EdDSA, its parser accepts members that RFC 8555 forbids (unprotected headers,
several signatures), and the header parameters ``kid``, ``nonce`` and ``url`` would be ours in any case.
"""

from __future__ import annotations

import binascii
import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.enrolment.acme.problems import Problem, malformed
from pkigen.strict_json import parse_json

Jwk = Mapping[str, Any]
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_RSA = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}
_CURVES: dict[str, tuple[str, ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "P-256": ("ES256", ec.SECP256R1(), hashes.SHA256()),
    "P-384": ("ES384", ec.SECP384R1(), hashes.SHA384()),
    "P-521": ("ES512", ec.SECP521R1(), hashes.SHA512()),
}
_EDWARDS: dict[str, type[ed25519.Ed25519PublicKey] | type[ed448.Ed448PublicKey]] = {
    "Ed25519": ed25519.Ed25519PublicKey,
    "Ed448": ed448.Ed448PublicKey,
}
_REQUIRED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
"""The members of a key by its type, in the order of its thumbprint (RFC 7638, 3.2)."""

ALGORITHMS = (*_RSA, *(algorithm for algorithm, _, _ in _CURVES.values()), "EdDSA")
_MAC = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_RSA_BITS = range(2048, 8193)


def encode(data: bytes) -> str:
    """Return base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: object, name: str = "value") -> bytes:
    """Decode base64url without padding; Problem for anything else."""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text):
        raise malformed(f"the {name} must be base64url without padding")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise malformed(f"the {name} must be base64url without padding") from None


@dataclass(frozen=True)
class Jws:
    """A parsed, unverified message: ``header`` is its protected header."""

    header: Mapping[str, Any]
    payload: bytes
    signed: bytes
    signature: bytes

    def verify(self, key: PublicKey) -> None:
        """Raise Problem if the signature is not one of the key."""
        verify(str(self.header["alg"]), key, self.signature, self.signed)

    def verify_mac(self, secret: bytes) -> None:
        """Raise Problem if the message is not protected with a shared secret (RFC 8555, 7.3.4)."""
        digest = _MAC.get(str(self.header.get("alg")))
        if digest is None:
            raise malformed(f"the external account binding must use one of {', '.join(_MAC)}")
        if not hmac.compare_digest(hmac.digest(secret, self.signed, digest), self.signature):
            raise Problem("unauthorized", "the external account binding has a wrong MAC")

    def object(self) -> dict[str, Any]:
        """Return the payload, which must be a JSON object."""
        try:
            value = parse_json(self.payload)
        except ValueError as error:
            raise malformed(f"the payload is not JSON: {str(error)[:200]}") from None
        if not isinstance(value, dict):
            raise malformed("the payload must be a JSON object")
        return value


def parse(data: object, *, mac: bool = False) -> Jws:
    """Parse a message in the flattened JSON serialization; Problem for anything else.

    ``mac`` permits the algorithms of shared secrets instead of those of signatures.
    """
    message = _object(data, "message") if isinstance(data, bytes) else data
    if not isinstance(message, Mapping) or message.keys() != {"protected", "payload", "signature"}:
        raise malformed("a message must have the members protected, payload and signature, and no others")
    protected, payload = message["protected"], message["payload"]
    header = _object(decode(protected, "protected header"), "protected header")
    algorithm = header.get("alg")
    known = tuple(_MAC) if mac else ALGORITHMS
    if not isinstance(algorithm, str) or algorithm not in known:
        text = f"the algorithm must be one of {', '.join(known)}"
        raise Problem("badSignatureAlgorithm", text, members={"algorithms": list(known)})
    if "crit" in header or header.get("b64", True) is not True:
        raise malformed("the header parameters crit and b64 are not supported")
    content, signature = decode(payload, "payload"), decode(message["signature"], "signature")
    return Jws(header, content, f"{protected}.{payload}".encode("ascii"), signature)


def public_key(jwk: object) -> PublicKey:
    """Return a public key; Problem (badPublicKey) if it is none, is private or is too weak."""
    if not isinstance(jwk, Mapping):
        raise malformed("the key (jwk) must be a JSON object")
    if jwk.keys() & {"d", "k"}:
        raise Problem("badPublicKey", "the key must be a public key")
    try:
        return _public_key(jwk)
    except (ValueError, UnsupportedAlgorithm, Problem) as error:
        raise Problem("badPublicKey", f"the key cannot be used: {error}") from None


def stored_key(jwk: Jwk) -> PublicKey:
    """Return the public key of an account, which was checked when the account was created."""
    return _stored_key(tuple(sorted(jwk.items())))


@lru_cache(maxsize=1000)
def _stored_key(members: tuple[tuple[str, Any], ...]) -> PublicKey:
    return public_key(dict(members))


def _public_key(jwk: Jwk) -> PublicKey:
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if kind == "RSA":
        modulus, exponent = (int.from_bytes(decode(jwk.get(name), name)) for name in ("n", "e"))
        if modulus.bit_length() not in _RSA_BITS:
            bits = modulus.bit_length()
            raise ValueError(f"an RSA key must have {_RSA_BITS[0]} to {_RSA_BITS[-1]} bits, not {bits}")
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    if kind == "EC" and isinstance(curve, str) and curve in _CURVES:
        _, parameters, _ = _CURVES[curve]
        x, y = (decode(jwk.get(name), name) for name in ("x", "y"))
        if len(x) != len(y) or len(x) != (parameters.key_size + 7) // 8:
            raise ValueError("its coordinates have the wrong length")
        numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), parameters)
        return numbers.public_key()
    if kind == "OKP" and isinstance(curve, str) and curve in _EDWARDS:
        return _EDWARDS[curve].from_public_bytes(decode(jwk.get("x"), "x"))
    raise ValueError("its type must be RSA, EC (P-256, P-384, P-521) or OKP (Ed25519, Ed448)")


def essential(jwk: Jwk) -> dict[str, Any]:
    """Return the members that define a key, without those such as ``kid`` and ``use``."""
    return {name: jwk[name] for name in _REQUIRED[str(jwk["kty"])]}


def thumbprint(jwk: Jwk) -> str:
    """Return the thumbprint of a valid key (RFC 7638), in base64url."""
    return encode(sha256(json.dumps(essential(jwk), separators=(",", ":")).encode("ascii")).digest())


def public_key_info(jwk: Jwk) -> bytes:
    """Return a valid key as SubjectPublicKeyInfo in DER."""
    return public_key(jwk).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def jwk_of(key: PublicKey) -> dict[str, Any]:
    """Return a public key as JWK."""
    if isinstance(key, rsa.RSAPublicKey):
        rsa_numbers = key.public_numbers()
        return {"e": _number(rsa_numbers.e), "kty": "RSA", "n": _number(rsa_numbers.n)}
    if isinstance(key, ec.EllipticCurvePublicKey):
        length, numbers = (key.key_size + 7) // 8, key.public_numbers()
        curve = next(name for name, (_, one, _) in _CURVES.items() if one.name == key.curve.name)
        x, y = (encode(number.to_bytes(length)) for number in (numbers.x, numbers.y))
        return {"crv": curve, "kty": "EC", "x": x, "y": y}
    curve = "Ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "Ed448"
    return {"crv": curve, "kty": "OKP", "x": encode(key.public_bytes_raw())}


def verify(algorithm: str, key: PublicKey, signature: bytes, data: bytes) -> None:
    """Raise Problem if a signature is not one of the key with the algorithm."""
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm in _RSA:
            key.verify(signature, data, padding.PKCS1v15(), _RSA[algorithm])
        elif isinstance(key, ec.EllipticCurvePublicKey):
            _verify_ecdsa(algorithm, key, signature, data)
        elif isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) and algorithm == "EdDSA":
            key.verify(signature, data)
        else:
            raise malformed(f"the algorithm {algorithm} is not one of the key")
    except (InvalidSignature, ValueError):
        raise malformed("the signature does not verify with the key") from None


def _verify_ecdsa(algorithm: str, key: ec.EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
    match = [(curve, digest) for name, curve, digest in _CURVES.values() if name == algorithm]
    if not match or match[0][0].name != key.curve.name:
        raise malformed(f"the algorithm {algorithm} is not one of the key")
    length = (key.key_size + 7) // 8
    if len(signature) != 2 * length:
        raise InvalidSignature
    pair = int.from_bytes(signature[:length]), int.from_bytes(signature[length:])
    key.verify(encode_dss_signature(*pair), data, ec.ECDSA(match[0][1]))


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        value = parse_json(data)
    except ValueError as error:
        raise malformed(f"the {name} is not JSON: {str(error)[:200]}") from None
    if not isinstance(value, dict):
        raise malformed(f"the {name} must be a JSON object")
    return value
