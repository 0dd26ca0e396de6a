"""The kinds of keys that a profile can name. Imports no cryptography: parsing a profile is cheap."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

SMALLEST_RSA, LARGEST_RSA = 512, 8192

_FIXED = {
    "ec-p256": ("ec", 256),
    "ec-p384": ("ec", 384),
    "ec-p521": ("ec", 521),
    "ed25519": ("ed25519", 256),
    "ed448": ("ed448", 456),
    "ml-dsa-44": ("ml-dsa", 44),
    "ml-dsa-65": ("ml-dsa", 65),
    "ml-dsa-87": ("ml-dsa", 87),
}

UNSOUND = {
    "rsa-2048-e3": ("rsa", 2048),
    "rsa-2048-e300bits": ("rsa", 2048),
    "rsa-2048-close-primes": ("rsa", 2048),
    "rsa-2048-shared-prime": ("rsa", 2048),
    "rsa-2048-roca": ("rsa", 2048),
    "ec-p192": ("ec", 192),
    "ec-secp256k1": ("ec", 256),
    "dsa-2048": ("dsa", 2048),
    "ml-kem-768": ("ml-kem", 768),
}
"""Kinds that faults ask for and profiles cannot."""

WELL_KNOWN = ("rsa-2048", "rsa-3072", "rsa-4096", *_FIXED)
"""The names to offer; RSA has every size between SMALLEST_RSA and LARGEST_RSA bits besides."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """A kind of key: its name in profiles, its family, its size.

    ``family`` is one of rsa, ec, ed25519, ed448, ml-dsa, and of dsa and ml-kem for faults. ``size`` is
    in bits; for ML-DSA and ML-KEM it is the number in the parameter set's name (FIPS 204, FIPS 203).
    """

    name: str
    family: str
    size: int

    @property
    def slow(self) -> bool:
        """Whether generating one takes longer than all else that is done for a certificate."""
        return self.family == "rsa"


@lru_cache(maxsize=256)
def parse_kind(text: str) -> KeyKind:
    """The kind that a profile's text names; ValueError says what is wrong with it."""
    if known := _FIXED.get(text) or UNSOUND.get(text):
        return KeyKind(text, *known)
    match = re.fullmatch(r"rsa-([0-9]{1,5})", text)
    if match is None:
        close = get_close_matches(text, WELL_KNOWN, 1)
        hint = f" (did you mean '{close[0]}'?)" if close else f"; there are {', '.join(WELL_KNOWN)}"
        raise ValueError(f"no such kind of key: '{text}'{hint}")
    size = int(match[1])
    if not SMALLEST_RSA <= size <= LARGEST_RSA:
        raise ValueError(f"an RSA key has {SMALLEST_RSA} to {LARGEST_RSA} bits here, not {size}")
    return KeyKind(f"rsa-{size}", "rsa", size)
