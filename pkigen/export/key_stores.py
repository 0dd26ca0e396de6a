"""PKCS#12 key stores for Java and Windows."""

from __future__ import annotations

from pkigen.errors import InputError
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft
from pkigen.inspection.artifacts import Kind, read
from pkigen.inspection.conversion.render import key_store
from pkigen.inspection.conversion.selection import matches_key
from pkigen.x509 import Certificate


def add_stores(draft: Draft, suffix: str, legacy_directory: str = "") -> None:
    """Add the key store ``private/NAME`` + ``suffix`` for each case that PKCS#12 supports.

    With ``legacy_directory``, add a second one below ``private/`` for programs without AES in PKCS#12.
    """
    stores = dict[str, bytes]()
    legacy_stores = dict[str, bytes]()

    def fits(files: CaseFiles) -> None:
        stores[files.case.name] = _store(draft, files, legacy=False)
        if legacy_directory:
            legacy_stores[files.case.name] = _store(draft, files, legacy=True)

    for files in exportable_cases(draft, fits):
        name = files.case.name
        draft.add(f"private/{name}{suffix}", stores[name], secret=True)
        if legacy_directory:
            path = f"private/{legacy_directory}/{name}{suffix}"
            draft.add(path, legacy_stores[name], secret=True)
        draft.exported.append(name)


def _store(draft: Draft, files: CaseFiles, *, legacy: bool) -> bytes:
    """Return a case's key, certificate and CA certificates, encrypted; the alias is the case's name."""
    if files.opened is None or files.opened.pkcs8 is None:
        raise NotExportable("its key cannot be read")
    path = [one.certificate for one in read(files.full, "") if one.kind is Kind.CERTIFICATE]
    readable = [one for one in path if isinstance(one, Certificate)]
    if not readable or len(readable) < len(path):
        raise NotExportable("one of its certificates cannot be read")
    if files.opened.public and not matches_key(readable[0], files.opened.public):
        raise NotExportable("its key does not belong to its certificate")
    alias, passphrase = files.case.name, draft.given.new_passphrase
    try:
        return key_store(files.opened.pkcs8, readable, alias, passphrase, legacy=legacy).data
    except InputError as error:
        kind = str(error) if "of kind" in str(error) else ""
        raise NotExportable(kind or "its certificate or key cannot be stored in PKCS#12") from error


def trust_anchors(draft: Draft) -> tuple[bytes, ...]:
    """Return the trust anchors in DER."""
    return tuple(one.der for one in read(draft.given.anchors, "trust.pem") if one.kind is Kind.CERTIFICATE)


def passphrase(draft: Draft) -> str:
    """Return the new passphrase as a string; raise InputError if a file cannot contain it."""
    try:
        text = draft.given.new_passphrase.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("the new passphrase is not valid UTF-8; choose another one") from None
    if not text.isprintable():
        raise InputError("the new passphrase contains control characters; choose another one")
    return text
