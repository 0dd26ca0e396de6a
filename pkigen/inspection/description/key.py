"""Describes a key, without the private part."""

from __future__ import annotations

from pkigen.inspection.artifacts import KeyFile
from pkigen.inspection.artifacts.keys import NOT_GIVEN
from pkigen.inspection.description import words
from pkigen.inspection.description.sheet import DescriptionBuilder, Rendering, rendering
from pkigen.x509.public_key import public_key

HOW_TO_OPEN = "encrypted; use --passphrase-file FILE"


def passphrase_is_missing(problem: str) -> bool:
    """Return whether the only problem of an artifact is that no passphrase was given."""
    return NOT_GIVEN in problem


def add_key(sheet: DescriptionBuilder, key: KeyFile) -> None:
    """Add the format, the protection and the public key of a private key."""
    public = key.public
    sheet.add("format", "format", lambda: rendering(key.format))
    sheet.add("encrypted", "protection", lambda: _protection(key))
    sheet.data["opened"] = key.pkcs8 is not None
    sheet.data["public_key"] = sheet.data["spki_sha256"] = None
    if public is not None:
        sheet.add("public_key", "key", lambda: words.public_key(public))
        sheet.add("spki_sha256", "key pin", lambda: words.pin(public.der))
    sheet.data["unsound"] = key.unsound or None
    if key.unsound:
        sheet.show("unsound", "unsound", key.unsound, alarm=True)


def add_public_key(sheet: DescriptionBuilder, data: bytes) -> None:
    """Add the fields of a SubjectPublicKeyInfo."""
    sheet.add("public_key", "key", lambda: words.public_key(public_key(data)))
    sheet.add("spki_sha256", "key pin", lambda: words.pin(data))


def _protection(key: KeyFile) -> Rendering:
    if not key.encrypted:
        return Rendering(("none: anyone with access to the file can use the key",), data=False)
    if key.pkcs8 is not None:
        return Rendering(("encrypted; decrypted with the passphrase",), data=True)
    if passphrase_is_missing(key.problem):
        return Rendering((HOW_TO_OPEN,), data=True)
    return Rendering(("encrypted; not decrypted",), data=True)
