"""The table of key kinds, and the signatures that each kind can create.

A new elliptic curve needs only one row in ``_KINDS``. This module does not import cryptography, because
commands that never use a key also import it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache

from pkigen.model import Signature

SMALLEST_RSA, LARGEST_RSA = 512, 8192
_LEAST_RSA_PSS = 1024
_COMMON_TLS_GROUPS = (23, 24, 25)


@dataclass(frozen=True, slots=True)
class KeyKind:
    """A kind of key: its name in profiles, its family, its size.

    ``family`` is one of rsa, ec, ed25519, ed448, ml-dsa; of dsa, ml-kem, slh-dsa and x25519 for faults.
    ``size`` is in bits; for ML-DSA, ML-KEM and SLH-DSA it is the number in the parameter set's name (FIPS 203
    to 205).

    ``oid`` identifies the curve of an EC key, the algorithm otherwise (empty for RSA). ``curve`` is the
    name of the curve's class in cryptography, ``order`` the order of its base point (SP 800-186, 3.2.1;
    RFC 5639). ``digest`` is the default digest of signatures. ``tls_scheme`` is the SignatureScheme that
    TLS 1.3 binds to the kind (RFC 8446, 4.2.3; RFC 8734; draft-ietf-tls-mldsa), ``tls_group`` the NamedCurve
    of an EC key (RFC 8422, 5.1.1); 0 for none.
    """

    name: str
    family: str
    size: int
    oid: str = field(default="", repr=False, compare=False)
    curve: str = field(default="", repr=False, compare=False)
    order: int = field(default=0, repr=False, compare=False)
    digest: str = field(default="", repr=False, compare=False)
    tls_scheme: int = field(default=0, repr=False, compare=False)
    tls_group: int = field(default=0, repr=False, compare=False)

    @property
    def slow(self) -> bool:
        """Whether key generation takes longer than all other steps of issuing a certificate."""
        return self.family == "rsa"

    @property
    def is_common_in_tls(self) -> bool:
        """Whether practically all TLS clients verify handshake signatures of such a key."""
        return self.tls_group in _COMMON_TLS_GROUPS or (self.family == "rsa" and self.size >= _LEAST_RSA_PSS)


_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P384_ORDER = (
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
)
_P521_ORDER = (1 << 521) - 0x5AE79787C40D069948033FEB708F65A2FC44A36477663B851449048E16EC79BF7
_P224_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D
_BRAINPOOL_P256_ORDER = 0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7
_BRAINPOOL_P384_ORDER = (
    0x8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565
)
_BRAINPOOL_P512_ORDER = int(
    "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870"
    "553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069",
    16,
)
_P192_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFF99DEF836146BC9B1B4D22831
_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_KINDS = (
    KeyKind("ec-p256", "ec", 256, "1.2.840.10045.3.1.7", "SECP256R1", _P256_ORDER, "sha256", 0x0403, 23),
    KeyKind("ec-p384", "ec", 384, "1.3.132.0.34", "SECP384R1", _P384_ORDER, "sha384", 0x0503, 24),
    KeyKind("ec-p521", "ec", 521, "1.3.132.0.35", "SECP521R1", _P521_ORDER, "sha512", 0x0603, 25),
    KeyKind("ec-p224", "ec", 224, "1.3.132.0.33", "SECP224R1", _P224_ORDER, "sha224", tls_group=21),
    KeyKind(
        *("ec-brainpoolp256r1", "ec", 256, "1.3.36.3.3.2.8.1.1.7", "BrainpoolP256R1"),
        *(_BRAINPOOL_P256_ORDER, "sha256", 0x081A, 26),
    ),
    KeyKind(
        *("ec-brainpoolp384r1", "ec", 384, "1.3.36.3.3.2.8.1.1.11", "BrainpoolP384R1"),
        *(_BRAINPOOL_P384_ORDER, "sha384", 0x081B, 27),
    ),
    KeyKind(
        *("ec-brainpoolp512r1", "ec", 512, "1.3.36.3.3.2.8.1.1.13", "BrainpoolP512R1"),
        *(_BRAINPOOL_P512_ORDER, "sha512", 0x081C, 28),
    ),
    KeyKind("ed25519", "ed25519", 256, "1.3.101.112", tls_scheme=0x0807),
    KeyKind("ed448", "ed448", 456, "1.3.101.113", tls_scheme=0x0808),
    KeyKind("ml-dsa-44", "ml-dsa", 44, "2.16.840.1.101.3.4.3.17", tls_scheme=0x0904),
    KeyKind("ml-dsa-65", "ml-dsa", 65, "2.16.840.1.101.3.4.3.18", tls_scheme=0x0905),
    KeyKind("ml-dsa-87", "ml-dsa", 87, "2.16.840.1.101.3.4.3.19", tls_scheme=0x0906),
)
_UNSOUND = (
    KeyKind("rsa-2048-e3", "rsa", 2048),
    KeyKind("rsa-2048-e300bits", "rsa", 2048),
    KeyKind("rsa-2048-close-primes", "rsa", 2048),
    KeyKind("rsa-2048-shared-prime", "rsa", 2048),
    KeyKind("rsa-2048-roca", "rsa", 2048),
    KeyKind("ec-p192", "ec", 192, "1.2.840.10045.3.1.1", "SECP192R1", _P192_ORDER, "sha256", tls_group=19),
    KeyKind("ec-secp256k1", "ec", 256, "1.3.132.0.10", "SECP256K1", _SECP256K1_ORDER, "sha256", tls_group=22),
    KeyKind("dsa-2048", "dsa", 2048),
    KeyKind("ml-kem-768", "ml-kem", 768),
    KeyKind("x25519", "x25519", 256, "1.3.101.110"),
    KeyKind("slh-dsa-sha2-128f", "slh-dsa", 128, "2.16.840.1.101.3.4.3.21"),
)

FIXED_KINDS = {kind.name: kind for kind in (*_KINDS, *_UNSOUND)}
"""Every kind except RSA keys of arbitrary size, by name."""

UNSOUND = {kind.name: kind for kind in _UNSOUND}
"""Kinds that servers do not use; a profile can name only ``DSA``, the others are for faults."""
DSA = "dsa-2048"

WELL_KNOWN = ("rsa-2048", "rsa-3072", "rsa-4096", *(kind.name for kind in _KINDS))
"""Key kinds to suggest; RSA also has every size between SMALLEST_RSA and LARGEST_RSA bits."""


@lru_cache(maxsize=256)
def parse_kind(text: str) -> KeyKind:
    """Return the key kind of this name; ValueError if there is none."""
    if known := FIXED_KINDS.get(text):
        return known
    match = re.fullmatch(r"rsa-([0-9]{1,18})", text)
    if match is None:
        close = get_close_matches(text, WELL_KNOWN, 1)
        hint = f" (did you mean '{close[0]}'?)" if close else f"; there are {', '.join(WELL_KNOWN)}"
        raise ValueError(f"no such kind of key: '{text}'{hint}")
    size = int(match[1])
    if not SMALLEST_RSA <= size <= LARGEST_RSA:
        raise ValueError(f"an RSA key has {SMALLEST_RSA} to {LARGEST_RSA} bits here, not {size}")
    return KeyKind(f"rsa-{size}", "rsa", size)


DIGEST_SIZES = {"md5": 16, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}
"""Length in bytes of each supported digest."""

_DIGEST_INFO = 30
"""Largest number of bytes that RSASSA-PKCS1-v1_5 adds to a digest (RFC 8017, 9.2)."""


def digest_of(kind: KeyKind, signature: Signature) -> str:
    """Return the digest for signatures by a key of a kind: the requested one, or the kind's default.

    Empty for keys with a built-in digest.
    """
    if kind.family not in ("rsa", "ec"):
        return ""
    if signature.digest:
        return signature.digest
    return kind.digest or "sha256"


def refusal(kind: KeyKind, signature: Signature) -> str | None:
    """Return the reason why a key of a kind cannot create a signature, or None if it can."""
    if kind.family in ("ml-kem", "x25519"):
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
