"""PKCS#12 for the programs that keep keys in such stores."""

from __future__ import annotations

from pkigen.errors import InputError
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft
from pkigen.inspection.artifacts import Kind, read
from pkigen.inspection.conversion.render import key_store
from pkigen.x509 import Certificate


def add_stores(draft: Draft, ending: str) -> None:
    """private/NAME with an ending, for each case that PKCS#12 can hold."""
    made = dict[str, bytes]()

    def fits(found: CaseFiles) -> None:
        made[found.case.name] = _store(draft, found)

    for found in exportable_cases(draft, fits):
        name = found.case.name
        draft.add(f"private/{name}{ending}", made[name], secret=True)
        draft.exported.append(name)


def _store(draft: Draft, found: CaseFiles) -> bytes:
    """A case's key, certificate and CA certificates under the new passphrase; the alias is its name."""
    if found.opened is None or found.opened.pkcs8 is None:
        raise NotExportable("its key cannot be read")
    path = [one.certificate for one in read(found.full, "") if one.kind is Kind.CERTIFICATE]
    readable = [one for one in path if isinstance(one, Certificate)]
    if not readable or len(readable) < len(path):
        raise NotExportable("there is a certificate in its files that cannot be read")
    alias, passphrase = found.case.name, draft.given.new_passphrase
    try:
        return key_store(found.opened.pkcs8, readable, alias, passphrase, legacy=False).data
    except InputError as error:
        kind = str(error) if "of kind" in str(error) else ""
        raise NotExportable(
            kind or "PKCS#12 is not written with such a certificate, or such a key"
        ) from error


def trust_anchors(draft: Draft) -> tuple[bytes, ...]:
    """The trust anchors, in DER."""
    return tuple(one.der for one in read(draft.given.anchors, "trust.pem") if one.kind is Kind.CERTIFICATE)


def passphrase(draft: Draft) -> str:
    """The new passphrase as text; InputError when it is none that a file can hold."""
    try:
        text = draft.given.new_passphrase.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("the new passphrase cannot be used: it is not UTF-8") from None
    if not text.isprintable():
        raise InputError("the new passphrase cannot be used: there are control characters in it")
    return text
