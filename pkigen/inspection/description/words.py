"""Formats times, numbers, keys and algorithms."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from pkigen.inspection.description.sheet import Rendering
from pkigen.x509 import AlgorithmIdentifier, PublicKey

_DECIMAL_BITS = 512
_EXACT_BITS = 53
_USUAL_EXPONENT = 65537
_FAMILIES = {
    "ed25519": "Ed25519",
    "ed448": "Ed448",
    "x25519": "X25519 (key agreement only)",
    "x448": "X448 (key agreement only)",
}
_SIZED = {
    "dsa": "DSA",
    "dh": "Diffie-Hellman (key agreement only)",
    "gost-2001": "GOST R 34.10-2001",
    "gost-2012-256": "GOST R 34.10-2012",
    "gost-2012-512": "GOST R 34.10-2012",
}
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def instant(value: datetime) -> str:
    """Return a time in UTC as text: ``2026-01-31 12:00:00 UTC``."""
    return f"{value.isoformat(sep=' ')[:19]} UTC"


def iso(value: datetime) -> str:
    """Return a time in UTC in ISO 8601: ``2026-01-31T12:00:00Z``."""
    text = str(value)  # takes half as long as isoformat()
    return f"{text[:10]}T{text[11:19]}Z"


def length(span: timedelta) -> str:
    """Return a duration in the largest unit of which it has at least two: ``396 days``, ``90 seconds``."""
    seconds = int(abs(span).total_seconds())
    size, unit = next(
        (pair for pair in _UNITS if seconds >= 2 * pair[0] or seconds == pair[0]), (1, "second")
    )
    units = seconds // size
    return f"{units:,} {unit}{'' if units == 1 else 's'}"


def number(value: int) -> str:
    """Return a number in decimal, or in hexadecimal if it is extremely large."""
    return str(value) if value.bit_length() <= _DECIMAL_BITS else hexadecimal(value)


def count(value: int) -> Rendering:
    """Return a number as a field; a number beyond the integer range of JSON is a string in the data."""
    return Rendering((number(value),), value if value.bit_length() <= _EXACT_BITS else number(value))


def hexadecimal(value: int) -> str:
    """Return a number in hexadecimal, in whole bytes; a negative number begins with ``-``."""
    if value < 0:
        return f"-{hexadecimal(-value)}"
    digits = f"{value:x}"
    return f"0{digits}" if len(digits) % 2 else digits


def name_of_key(key: PublicKey) -> str:
    """Return the kind and size of a public key, and an exponent other than 65537."""
    if key.family == "rsa":
        kind = "RSA for RSASSA-PSS only" if key.is_for_pss_only else "RSA"
        exponent = "" if key.exponent == _USUAL_EXPONENT else f", public exponent {number(key.exponent)}"
        return f"{kind}, {key.size} bits{exponent}"
    if key.family == "ec":
        curve = key.name.removeprefix("ec").lstrip("- ")
        if curve == "sm2":
            return f"SM2, {key.size} bits"
        curve = curve.strip("()")
        named = f"P-{curve[1:]}" if curve[1:].isdecimal() else curve.replace("brainpoolp", "brainpoolP")
        return f"EC, {named}, {key.size} bits" if key.size else f"EC, {named}"
    if key.family in ("ml-dsa", "ml-kem"):
        return key.name.upper()
    if key.family == "slh-dsa":
        return key.name[:-1].upper() + key.name[-1]
    if key.name in _SIZED:
        return _SIZED[key.name] + (f", {key.size} bits" if key.size else "")
    return _FAMILIES.get(key.family, f"unknown algorithm {key.family}")


def public_key(key: PublicKey) -> Rendering:
    """Return a public key as a field."""
    data: dict[str, Any] = {
        "name": key.name,
        "family": key.family,
        "size": key.size,
        "algorithm": key.algorithm,
        "exponent": count(key.exponent).data if key.family == "rsa" else None,
    }
    return Rendering((name_of_key(key),), data)


def pin(public_key_info: bytes) -> Rendering:
    """Return the SHA-256 pin of a SubjectPublicKeyInfo (RFC 7469, 2.4), in base64 and in hexadecimal."""
    digest = sha256(public_key_info).digest()
    base64 = b64encode(digest).decode()
    return Rendering((base64, digest.hex()), {"base64": base64, "hex": digest.hex()})


def algorithm(value: AlgorithmIdentifier) -> Rendering:
    """Return a signature algorithm with its digest as a field."""
    digest = value.digest
    suffix = f" ({digest})" if digest and digest not in value.name.lower() else ""
    return Rendering((value.name + suffix,), {"name": value.name, "oid": value.oid, "digest": digest or None})
