"""Converts private keys of any structure to PKCS#8 (RFC 5208), and finds their public keys."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pkigen.asn1 import der
from pkigen.errors import InputError, panics_as_errors
from pkigen.keys import PrivateKey, load_pkcs8, to_pkcs8
from pkigen.keys.kinds import FIXED_KINDS
from pkigen.x509 import Malformed
from pkigen.x509.decode import decoder
from pkigen.x509.public_key import curve_bits, explicit_order

_RSA, _EC, _DSA = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.2.840.10040.4.1"
_RSA_PSS = "1.2.840.113549.1.1.10"
_ANY_RSA = (_RSA, _RSA_PSS, "2.5.8.1.1")
_CURVES_BY_ORDER = {kind.order: kind.oid for kind in FIXED_KINDS.values() if kind.order}
_VERSION_1 = der.integer(0)
_DIFFIE_HELLMAN = ("1.2.840.113549.1.3.1", "1.2.840.10046.2.1")
_NOT_LOADED = (_RSA_PSS, *_DIFFIE_HELLMAN)
"""Keys that cryptography would change, or whose public key takes it long to compute."""
LONGEST_KEY = 16 * 1024
"""Bytes of a private key in DER; RSA-16384 has 9,300."""
_DSA_MODULUS, _DSA_EXPONENT = 4096, 512
"""Bits of a DSA key's p and x: computing y takes quadratic time in p, times x."""


@decoder("the private key")
def private_key_info(label: str, data: bytes) -> bytes:
    """Return the PKCS#8 DER (version 1) of an unencrypted key with a PEM label; Malformed if it is none.

    Accepts PKCS#1 and SEC 1, PKCS#8 version 2, EC keys of any length or with the explicit parameters of a
    named curve, and RSA keys with more than two primes. Work with a key's numbers takes up to cubic time:
    InputError if they exceed the limits on their size.
    """
    if len(data) > LONGEST_KEY:
        raise InputError(f"the private key has {len(data):,} bytes; the limit is {LONGEST_KEY:,}")
    if label == "RSA PRIVATE KEY":
        info = der.sequence(_VERSION_1, der.sequence(der.oid(_RSA), der.null()), der.octet_string(data))
    elif label == "EC PRIVATE KEY":
        parameters = next((der.contents(part) for part in der.children(data) if part[0] == 0xA0), b"")
        if not parameters:
            raise Malformed("the EC key does not name its curve")
        info = der.sequence(_VERSION_1, der.sequence(der.oid(_EC), parameters), der.octet_string(data))
    elif label == "DSA PRIVATE KEY":
        _, p, q, g, _, x = der.children(data)
        algorithm = der.sequence(der.oid(_DSA), der.sequence(p, q, g))
        info = der.sequence(_VERSION_1, algorithm, der.octet_string(x))
    else:
        info = data
    return _canonical(info)


@decoder("the private key")
def public_key_info(pkcs8: bytes) -> bytes | None:
    """Return the SubjectPublicKeyInfo of a key; None if it can be neither computed nor found in the key."""
    _, algorithm, key_bytes = der.children(pkcs8)
    oid = der.dotted(der.children(algorithm)[0])
    try:
        if oid not in _NOT_LOADED:
            with panics_as_errors():
                key = load_pkcs8(pkcs8)
                return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        pass
    if oid in _ANY_RSA:
        _, n, e, *_ = der.children(der.contents(key_bytes))
        return der.sequence(algorithm, der.bit_string(der.sequence(n, e)))
    if oid == _EC:
        for part in der.children(der.contents(key_bytes))[2:]:
            if part[0] == 0xA1:
                return der.sequence(algorithm, der.contents(part))
    return None


def _canonical(info: bytes) -> bytes:
    """Return the key as cryptography writes it, or as it is if cryptography cannot read it.

    An RSA-PSS key also stays as it is: cryptography writes rsaEncryption, which OpenSSL does not accept for a
    certificate with id-RSASSA-PSS. So does a Diffie-Hellman key.
    """
    _, algorithm, key, *_ = der.children(info)
    oid, *parameters = der.children(algorithm)
    if der.dotted(oid) == _EC and parameters:
        algorithm, key = _ec_key(parameters[0], der.contents(key))
    if der.dotted(oid) == _DSA and parameters:
        _check_dsa(der.children(parameters[0])[0], der.contents(key))
    info = der.sequence(_VERSION_1, algorithm, key)
    if der.dotted(oid) in _NOT_LOADED:
        return info
    try:
        with panics_as_errors():
            loaded = load_pkcs8(info)
        return to_pkcs8(loaded) if isinstance(loaded, PrivateKey) else info
    except (ValueError, UnsupportedAlgorithm):
        return info


def _check_dsa(modulus: bytes, exponent: bytes) -> None:
    for name, number, limit in (("p", modulus, _DSA_MODULUS), ("x", exponent, _DSA_EXPONENT)):
        bits = 8 * len(der.contents(number).lstrip(b"\0"))
        if bits > limit:
            raise InputError(f"{name} of the DSA key has {bits:,} bits; the limit is {limit:,}")


def _ec_key(parameters: bytes, key: bytes) -> tuple[bytes, bytes]:
    """Return AlgorithmIdentifier and privateKey with a named curve and a scalar of the curve's length."""
    if parameters[0] == der.SEQUENCE and (curve := _CURVES_BY_ORDER.get(explicit_order(parameters))):
        parameters = der.oid(curve)
    version, scalar, *rest = der.children(key)
    octets = der.contents(scalar).lstrip(b"\0")
    size = (curve_bits(parameters) + 7) // 8
    public = [part for part in rest if part[0] == 0xA1]
    ec_key = der.sequence(version, der.octet_string(octets.rjust(size, b"\0")), *public)
    return der.sequence(der.oid(_EC), parameters), der.octet_string(ec_key)
