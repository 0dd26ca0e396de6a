"""Decodes a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7; RFC 3279, 5480, 8410, 9881, 9909, 9935)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product

from pkigen.asn1 import der
from pkigen.x509.algorithms import algorithm_identifier
from pkigen.x509.decode import Malformed, decoder, elements, expect, integer

_RSA_FOR_PSS = "1.2.840.113549.1.1.10"
_RSA = ("1.2.840.113549.1.1.1", _RSA_FOR_PSS, "2.5.8.1.1")
_EC, _DSA = "1.2.840.10045.2.1", "1.2.840.10040.4.1"
_BRAINPOOL = "1.3.36.3.3.2.8.1.1"
_CURVES = {
    "1.2.840.10045.3.1.1": ("ec-p192", 192),
    "1.3.132.0.33": ("ec-p224", 224),
    "1.2.840.10045.3.1.7": ("ec-p256", 256),
    "1.3.132.0.34": ("ec-p384", 384),
    "1.3.132.0.35": ("ec-p521", 521),
    "1.3.132.0.9": ("ec-secp160k1", 160),
    "1.3.132.0.8": ("ec-secp160r1", 160),
    "1.3.132.0.30": ("ec-secp160r2", 160),
    "1.3.132.0.31": ("ec-secp192k1", 192),
    "1.3.132.0.32": ("ec-secp224k1", 224),
    "1.3.132.0.10": ("ec-secp256k1", 256),
    **{
        f"{_BRAINPOOL}.{2 * number + twist}": (f"ec-brainpoolp{size}{'rt'[twist - 1]}1", size)
        for number, size in enumerate((160, 192, 224, 256, 320, 384, 512))
        for twist in (1, 2)
    },
    "1.2.156.10197.1.301": ("ec-sm2", 256),
    "1.2.250.1.223.101.256.1": ("ec-frp256v1", 256),
    **{
        f"1.3.132.0.{arc}": (f"ec-{name}", int(name[4:7]))
        for arc, name in {
            1: "sect163k1",
            15: "sect163r2",
            26: "sect233k1",
            27: "sect233r1",
            16: "sect283k1",
            17: "sect283r1",
            36: "sect409k1",
            37: "sect409r1",
            38: "sect571k1",
            39: "sect571r1",
        }.items()
    },
}
_FIXED = {
    "1.3.101.112": ("ed25519", "ed25519", 256),
    "1.3.101.113": ("ed448", "ed448", 456),
    "2.16.840.1.101.3.4.3.17": ("ml-dsa-44", "ml-dsa", 44),
    "2.16.840.1.101.3.4.3.18": ("ml-dsa-65", "ml-dsa", 65),
    "2.16.840.1.101.3.4.3.19": ("ml-dsa-87", "ml-dsa", 87),
    "1.3.101.110": ("x25519", "x25519", 256),
    "1.3.101.111": ("x448", "x448", 448),
    "2.16.840.1.101.3.4.4.1": ("ml-kem-512", "ml-kem", 512),
    "2.16.840.1.101.3.4.4.2": ("ml-kem-768", "ml-kem", 768),
    "2.16.840.1.101.3.4.4.3": ("ml-kem-1024", "ml-kem", 1024),
    **{
        f"2.16.840.1.101.3.4.3.{20 + number}": (f"slh-dsa-{digest}-{size}{speed}", "slh-dsa", size)
        for number, (digest, size, speed) in enumerate(product(("sha2", "shake"), (128, 192, 256), "sf"))
    },
    "1.2.643.2.2.19": ("gost-2001", "gost", 256),
    "1.2.643.7.1.1.1.1": ("gost-2012-256", "gost", 256),
    "1.2.643.7.1.1.1.2": ("gost-2012-512", "gost", 512),
    "1.2.840.10046.2.1": ("dh", "dh", 0),
    "1.2.840.113549.1.3.1": ("dh", "dh", 0),
}
_NIST = {f"ec-p{size}": f"P-{size}" for size in (192, 224, 256, 384, 521)}
_SPELLING = {"brainpoolp": "brainpoolP", "frp": "FRP", "sm2": "SM2"}


def _curve_name(name: str) -> str:
    """Return the name of a curve in its standard: P-256, brainpoolP256r1, secp256k1, ed25519."""
    bare = name.removeprefix("ec-")
    return _NIST.get(name) or re.sub("^(brainpoolp|frp|sm2)", lambda match: _SPELLING[match[0]], bare)


_WITH_CURVE = ("ed25519", "ed448", "x25519", "x448")
_CURVE_NAMES = {name: _curve_name(name) for name in (*(one for one, _ in _CURVES.values()), *_WITH_CURVE)}
CURVES = tuple(_CURVE_NAMES.values())
"""The names that ``PublicKey.curve`` can have."""
FAMILIES = (
    *("rsa", "ec", "ed25519", "ed448", "ml-dsa", "ml-kem", "slh-dsa", "dsa", "x25519", "x448", "gost", "dh"),
)


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

    @property
    def curve(self) -> str:
        """The name of the curve in its standard; "" for a key without a curve, or with one without a name."""
        return curve_of(self.name)

    @property
    def is_for_pss_only(self) -> bool:
        """Whether the key is RSA, and only RSASSA-PSS may use it (RFC 4055, 1.2)."""
        return self.algorithm == _RSA_FOR_PSS


def curve_of(kind: str) -> str:
    """Return the name of the curve of a kind of key (``ec-p256``) in its standard (P-256); "" if unknown."""
    return _CURVE_NAMES.get(kind, "")


@lru_cache(maxsize=512)
@decoder("the public key")
def public_key(data: bytes) -> PublicKey:
    """Return the key in a SubjectPublicKeyInfo."""
    algorithm, bits = elements(data, "the public key")
    identifier = algorithm_identifier(algorithm)
    contents = expect(bits, der.BIT_STRING, "the public key's bits")
    if not contents:
        raise Malformed("the public key's BIT STRING is empty")
    oid, parameters = identifier.oid, identifier.parameters or b""
    if oid in _RSA:
        modulus, exponent = elements(contents[1:], "the RSA public key")
        size = integer(modulus, "the modulus", len(modulus)).bit_length()
        return PublicKey(data, f"rsa-{size}", "rsa", size, oid, integer(exponent, "the exponent"))
    if oid == _EC:
        curve = der.dotted(parameters) if parameters[:1] == bytes((der.OID,)) else "explicit parameters"
        name, _ = _CURVES.get(curve, (f"ec ({curve})", 0))
        return PublicKey(data, name, "ec", curve_bits(parameters), oid)
    if oid == _DSA:
        prime = der.children(parameters)[0] if parameters[:1] == bytes((der.SEQUENCE,)) else b""
        size = integer(prime, "the prime", len(prime)).bit_length() if prime else 0
        return PublicKey(data, "dsa", "dsa", size, oid)
    name, family, size = _FIXED.get(oid, (oid, oid, 0))
    return PublicKey(data, name, family, size, oid)


def curve_bits(parameters: bytes) -> int:
    """Return the size of an EC key with these parameters in bits; 0 for an unknown curve."""
    if parameters[:1] == bytes((der.OID,)):
        return _CURVES.get(der.dotted(parameters), ("", 0))[1]
    if parameters[:1] == bytes((der.SEQUENCE,)):
        return explicit_order(parameters).bit_length()
    return 0


def explicit_order(parameters: bytes) -> int:
    """Return the order of the base point in explicit EC parameters (RFC 3279, 2.3.5)."""
    order = der.children(parameters)[4]
    return integer(order, "the order of the base point", len(order))


@lru_cache(maxsize=4096)
def key_bits(info: bytes) -> bytes | None:
    """Return the bits of a SubjectPublicKeyInfo for comparison: an EC point compressed; None if malformed."""
    try:
        algorithm, bits = elements(info, "the public key")
        key = der.contents(bits)[1:]
    except (ValueError, IndexError):
        return None
    if (
        key[:1] in {b"\x04", b"\x06", b"\x07"}
        and len(key) % 2
        and b"\x2a\x86\x48\xce\x3d\x02\x01" in algorithm
    ):
        half = len(key) // 2 + 1
        return bytes((2 + key[-1] % 2,)) + key[1:half]
    return key


def same_key(first: bytes, second: bytes) -> bool:
    """Return whether two SubjectPublicKeyInfos contain the same key, in any encoding."""
    bits = key_bits(first)
    return bits is not None and bits == key_bits(second)


def is_usable_with(key: bytes, certified: bytes) -> bool:
    """Return whether a key belongs to a certified one for TLS libraries (SubjectPublicKeyInfos).

    The algorithm and its parameters are the same; the form of an EC point and an absent NULL do not matter.
    """
    if key == certified:
        return True
    try:
        first, second = (algorithm_identifier(elements(one, "the public key")[0]) for one in (key, certified))
    except Malformed:
        return False
    same_parameters = (first.parameters or der.null()) == (second.parameters or der.null())
    return first.oid == second.oid and same_parameters and same_key(key, certified)
