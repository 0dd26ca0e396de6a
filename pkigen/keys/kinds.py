"""The key kinds that a profile can name, and what each can sign with. Imports no cryptography."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from pkigen.model import Signature

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


DIGEST_SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
"""Octets of each digest that can be asked for."""

_DIGEST_INFO = 30
"""Octets that RSASSA-PKCS1-v1_5 puts around a digest, at most (RFC 8017, 9.2)."""


def digest_of(kind: KeyKind, signature: Signature) -> str:
    """The digest a key of a kind signs with: the one asked for, or the one of its own strength.

    Empty for keys that bring their own.
    """
    if kind.family not in ("rsa", "ec"):
        return ""
    if signature.digest:
        return signature.digest
    return {384: "sha384", 521: "sha512"}.get(kind.size, "sha256") if kind.family == "ec" else "sha256"


def refusal(kind: KeyKind, signature: Signature) -> str | None:
    """Why a key of a kind cannot sign so; None when it can."""
    if kind.family in ("dsa", "ml-kem"):
        return f"a key of kind {kind.name} does not sign certificates here"
    digest = digest_of(kind, signature)
    if signature.pss and kind.family != "rsa":
        return f"RSA-PSS is for RSA keys, and the issuer's key is {kind.name}"
    if kind.family == "ec" and digest == "md5":
        return "there is no ECDSA with md5"
    if signature.pss and digest == "md5":
        return "there is no RSA-PSS with md5"
    if kind.family == "rsa":
        size = DIGEST_SIZES[digest]
        needed = 2 * size + 2 if signature.pss else size + _DIGEST_INFO
        if kind.size < 8 * needed:
            return f"{kind.name} is too short for a signature with {digest}"
    return None
