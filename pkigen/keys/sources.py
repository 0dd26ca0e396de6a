"""Where new keys come from: generated, following from a seed, or drawn from a cached pool."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa

from pkigen.keys import PrivateKey, rsa_primes, weak_keys
from pkigen.keys.entropy import SeededEntropy, SystemEntropy
from pkigen.keys.kinds import UNSOUND, KeyKind

_SMALLEST_OF_OPENSSL = 1024
_CURVES: dict[int, tuple[ec.EllipticCurve, int]] = {
    256: (ec.SECP256R1(), 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
    384: (
        ec.SECP384R1(),
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    ),
    521: (
        ec.SECP521R1(),
        (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7,
    ),
}
"""Curve and order of its base point, by field size (FIPS 186-5; SP 800-186, 3.2.1)."""
_ML_DSA: dict[int, type[mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey]] = {
    44: mldsa.MLDSA44PrivateKey,
    65: mldsa.MLDSA65PrivateKey,
    87: mldsa.MLDSA87PrivateKey,
}


class KeySource(Protocol):
    """Makes keys. Picklable, and safe to call from several threads."""

    @property
    def label(self) -> str:
        """What the index notes of a key from here; it tells no secret."""
        ...

    @property
    def pure_python(self) -> bool:
        """Whether generating an RSA key holds the GIL."""
        ...

    def takes_long(self, kind: KeyKind) -> bool:
        """Whether a key of a kind takes longer than all else that is done for a certificate."""
        ...

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """A key for an entity, told by its id."""
        ...


@dataclass(frozen=True, slots=True)
class FreshKeys:
    """A new random key at each call."""

    label: str = "fresh"
    pure_python: bool = False

    def takes_long(self, kind: KeyKind) -> bool:
        """RSA does."""
        return kind.slow

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """A new key."""
        return _random(kind)


@dataclass(frozen=True, slots=True)
class SeededKeys:
    """Keys that follow from a seed, the kind and the owner: fixtures, and no secret to anybody."""

    seed: str = field(repr=False)
    pure_python: bool = True

    @property
    def label(self) -> str:
        """``seed:`` and a digest that tells seeds apart."""
        return "seed:" + sha256(self.seed.encode()).hexdigest()[:16]

    def takes_long(self, kind: KeyKind) -> bool:
        """RSA does."""
        return kind.slow

    def generate(self, kind: KeyKind, owner: str) -> PrivateKey:
        """The key of this owner."""
        return _derived(kind, SeededEntropy(self.seed), "key", owner, kind.name)


def _random(kind: KeyKind) -> PrivateKey:
    if kind.name in UNSOUND:
        return weak_keys.generate(kind, SystemEntropy())
    match kind.family:
        case "rsa" if kind.size < _SMALLEST_OF_OPENSSL:
            return rsa_primes.generate(kind.size, SystemEntropy())
        case "rsa":
            return rsa.generate_private_key(65537, kind.size)
        case "ec":
            return ec.generate_private_key(_CURVES[kind.size][0])
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "ed448":
            return ed448.Ed448PrivateKey.generate()
        case _:
            return _ML_DSA[kind.size].generate()


def _derived(kind: KeyKind, entropy: SeededEntropy, *labels: str) -> PrivateKey:
    if kind.name in UNSOUND:
        return weak_keys.generate(kind, entropy, *labels)
    match kind.family:
        case "rsa":
            return rsa_primes.generate(kind.size, entropy, *labels)
        case "ec":
            curve, order = _CURVES[kind.size]
            return ec.derive_private_key(_below(order, entropy, *labels), curve)
        case "ed25519":
            return ed25519.Ed25519PrivateKey.from_private_bytes(entropy.read(32, *labels))
        case "ed448":
            return ed448.Ed448PrivateKey.from_private_bytes(entropy.read(57, *labels))
        case _:
            return _ML_DSA[kind.size].from_seed_bytes(entropy.read(32, *labels))


def _below(order: int, entropy: SeededEntropy, *labels: str) -> int:
    """A number from 1 to ``order`` - 1, by drawing until one fits (FIPS 186-5, A.2.2)."""
    bits = order.bit_length()
    for attempt in range(1000):
        octets = entropy.read((bits + 7) // 8, *labels, str(attempt))
        number = int.from_bytes(octets, "big") & ((1 << bits) - 1)
        if 1 <= number < order:
            return number
    raise AssertionError("no number below the order")
