"""SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 3279, 5480, 8410, 9881)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from pkigen.asn1 import der
from pkigen.x509.algorithms import algorithm_identifier
from pkigen.x509.decoding import Malformed, decoder, elements, expect, integer

_RSA = ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10")
_EC = "1.2.840.10045.2.1"
_CURVES = {
    "1.2.840.10045.3.1.1": ("ec-p192", 192),
    "1.3.132.0.33": ("ec-p224", 224),
    "1.2.840.10045.3.1.7": ("ec-p256", 256),
    "1.3.132.0.34": ("ec-p384", 384),
    "1.3.132.0.35": ("ec-p521", 521),
    "1.3.132.0.10": ("ec-secp256k1", 256),
    "1.3.36.3.3.2.8.1.1.7": ("ec-brainpoolp256r1", 256),
    "1.3.36.3.3.2.8.1.1.11": ("ec-brainpoolp384r1", 384),
    "1.3.36.3.3.2.8.1.1.13": ("ec-brainpoolp512r1", 512),
}
_FIXED = {
    "1.3.101.112": ("ed25519", "ed25519", 256),
    "1.3.101.113": ("ed448", "ed448", 456),
    "2.16.840.1.101.3.4.3.17": ("ml-dsa-44", "ml-dsa", 44),
    "2.16.840.1.101.3.4.3.18": ("ml-dsa-65", "ml-dsa", 65),
    "2.16.840.1.101.3.4.3.19": ("ml-dsa-87", "ml-dsa", 87),
    "1.2.840.10040.4.1": ("dsa", "dsa", 0),
    "1.3.101.110": ("x25519", "x25519", 256),
    "1.3.101.111": ("x448", "x448", 448),
}
FAMILIES = ("rsa", "ec", "ed25519", "ed448", "ml-dsa", "dsa", "x25519", "x448")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key: its name as profiles write it, its family, its size in bits.

    ``family`` is one of FAMILIES, or the OID of an algorithm that is unknown here (size 0).
    ``algorithm`` is the OID; ``exponent`` is RSA's, else 0.
    """

    der: bytes = field(repr=False)
    name: str
    family: str
    size: int
    algorithm: str = ""
    exponent: int = 0


@lru_cache(maxsize=512)
@decoder("the public key")
def public_key(data: bytes) -> PublicKey:
    """The key that a SubjectPublicKeyInfo holds."""
    algorithm, bits = elements(data, "the public key")
    found = algorithm_identifier(algorithm)
    octets = expect(bits, der.BIT_STRING, "the public key's bits")
    if not octets:
        raise Malformed("the public key's BIT STRING has no octets")
    if found.oid in _RSA:
        modulus, exponent = elements(octets[1:], "the RSA public key")
        size = integer(modulus, "the modulus", len(modulus)).bit_length()
        return PublicKey(data, f"rsa-{size}", "rsa", size, found.oid, integer(exponent, "the exponent"))
    if found.oid == _EC:
        parameters = found.parameters or b""
        curve = der.dotted(parameters) if parameters[:1] == bytes((der.OID,)) else "explicit parameters"
        name, size = _CURVES.get(curve, (f"ec ({curve})", 0))
        return PublicKey(data, name, "ec", size, found.oid)
    name, family, size = _FIXED.get(found.oid, (found.oid, found.oid, 0))
    return PublicKey(data, name, family, size, found.oid)
