"""What keys can sign with, told without importing cryptography: profiles are checked against it."""

from __future__ import annotations

from pkigen.keys.kinds import KeyKind
from pkigen.model import Signature

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
