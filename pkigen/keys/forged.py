"""Signatures that libraries do not create: by a forger of a curve, and by DSA keys from a seed."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPrivateKey

from pkigen.asn1 import der
from pkigen.keys.entropy import Entropy, SystemEntropy


def sign_with_own_generator(
    key: ec.EllipticCurvePrivateKey, order: int, digest: bytes, entropy: Entropy | None
) -> bytes:
    """Return an ECDSA signature by the private key 1, on a curve whose generator is the key's public point.

    A forger who does not know the key can create it as well, with a multiplication of that point.
    """
    nonce = _nonce(order, digest, entropy)
    point = ec.derive_private_key(nonce, key.curve).public_key().public_numbers()
    r = point.x % order
    # The nonce is a multiple of the curve's own generator: divide it by the key.
    factor = key.private_numbers().private_value * pow(nonce, -1, order)
    return _numbers(r, factor * (int.from_bytes(digest, "big") + r) % order)


def sign_dsa(key: DSAPrivateKey, digest: bytes, entropy: Entropy | None) -> bytes:
    """Return a DSA signature (FIPS 186-4, 4.6); with ``entropy``, equal input gives equal bytes."""
    numbers = key.private_numbers()
    domain = numbers.public_numbers.parameter_numbers
    nonce = _nonce(domain.q, digest, entropy)
    r = pow(domain.g, nonce, domain.p) % domain.q
    total = int.from_bytes(digest, "big") + numbers.x * r
    return _numbers(r, pow(nonce, -1, domain.q) * total % domain.q)


def _nonce(order: int, digest: bytes, entropy: Entropy | None) -> int:
    size = order.bit_length() // 8 + 8
    drawn = (entropy or SystemEntropy()).read(size, "nonce", digest.hex())
    return int.from_bytes(drawn, "big") % (order - 1) + 1


def _numbers(r: int, s: int) -> bytes:
    return der.sequence(der.integer(r), der.integer(s))
