"""Instants, numbers, keys and algorithms in words."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any

from pkigen.inspection.description.sheet import Rendering
from pkigen.x509 import AlgorithmIdentifier, PublicKey

_DECIMAL_BITS = 512
_EXACT_BITS = 53
_USUAL_EXPONENT = 65537
_RSA_FOR_PSS = "1.2.840.113549.1.1.10"
_FAMILIES = {
    "ed25519": "Ed25519",
    "ed448": "Ed448",
    "x25519": "X25519 (key agreement, signs nothing)",
    "x448": "X448 (key agreement, signs nothing)",
}
_SIZED = {
    "dsa": "DSA",
    "dh": "Diffie-Hellman (key agreement, signs nothing)",
    "gost-2001": "GOST R 34.10-2001",
    "gost-2012-256": "GOST R 34.10-2012",
    "gost-2012-512": "GOST R 34.10-2012",
}
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def instant(value: datetime) -> str:
    """An instant in UTC for people: ``2026-01-31 12:00:00 UTC``."""
    return f"{value.isoformat(sep=' ')[:19]} UTC"


@lru_cache(maxsize=256)
def iso(value: datetime) -> str:
    """An instant in UTC for programs: ``2026-01-31T12:00:00Z``."""
    return f"{value.isoformat()[:19]}Z"


def length(span: timedelta) -> str:
    """A length of time in its largest unit of which there are two: ``396 days``, ``90 seconds``."""
    seconds = int(abs(span).total_seconds())
    size, unit = next(
        (found for found in _UNITS if seconds >= 2 * found[0] or seconds == found[0]), (1, "second")
    )
    units = seconds // size
    return f"{units:,} {unit}{'' if units == 1 else 's'}"


def number(value: int) -> str:
    """A number in decimal; beyond all that has a meaning in hexadecimal, which any size can have."""
    return str(value) if value.bit_length() <= _DECIMAL_BITS else hexadecimal(value)


def count(value: int) -> Rendering:
    """A number that is a small one, unless something is wrong; programs get those as numbers."""
    return Rendering((number(value),), value if value.bit_length() <= _EXACT_BITS else number(value))


def hexadecimal(value: int) -> str:
    """A number in whole octets, ``-`` before a negative one."""
    digits = f"{abs(value):x}"
    return ("-" if value < 0 else "") + digits.zfill(len(digits) + len(digits) % 2)


def name_of_key(key: PublicKey) -> str:
    """The kind of a public key, its size, and an exponent that is not the usual one."""
    if key.family == "rsa":
        kind = "RSA for RSASSA-PSS alone" if key.algorithm == _RSA_FOR_PSS else "RSA"
        odd = "" if key.exponent == _USUAL_EXPONENT else f", public exponent {number(key.exponent)}"
        return f"{kind}, {key.size} bits{odd}"
    if key.family == "ec":
        curve = key.name.removeprefix("ec").lstrip("- ")
        if curve == "sm2":
            return f"SM2, {key.size} bits"
        curve = curve.strip("()")
        named = f"P-{curve[1:]}" if curve[1:].isdecimal() else curve.replace("brainpoolp", "brainpoolP")
        return f"EC, {named}, {key.size} bits" if key.size else f"EC, {named}"
    if key.family in ("ml-dsa", "ml-kem"):
        return key.name.upper()
    if key.name in _SIZED:
        return _SIZED[key.name] + (f", {key.size} bits" if key.size else "")
    return _FAMILIES.get(key.family, f"unknown algorithm {key.family}")


def public_key(key: PublicKey) -> Rendering:
    """A public key as a field."""
    data: dict[str, Any] = {
        "name": key.name,
        "family": key.family,
        "size": key.size,
        "algorithm": key.algorithm,
        "exponent": count(key.exponent).data if key.family == "rsa" else None,
    }
    return Rendering((name_of_key(key),), data)


def pin(public_key_info: bytes) -> Rendering:
    """The SHA-256 pin of a SubjectPublicKeyInfo (RFC 7469, 2.4), in base64 and in hexadecimal."""
    digest = sha256(public_key_info).digest()
    base64 = b64encode(digest).decode()
    return Rendering((base64, digest.hex()), {"base64": base64, "hex": digest.hex()})


def algorithm(value: AlgorithmIdentifier) -> Rendering:
    """A signature algorithm with its digest."""
    digest = value.digest
    said = f" ({digest})" if digest and digest not in value.name.lower() else ""
    return Rendering((value.name + said,), {"name": value.name, "oid": value.oid, "digest": digest or None})
