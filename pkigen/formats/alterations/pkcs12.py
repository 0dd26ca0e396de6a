"""Alterations of the PKCS#12 file (RFC 7292), with a passphrase file for the upload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.asn1 import der
from pkigen.formats.alterations.draft import FileDraft
from pkigen.model import Edit, EditOp

_AUTH_SAFE_CONTENT, _MAC, _ITERATIONS = (1, 1), (2,), (2, 2)
"""Paths in a PFX (RFC 7292, 4)."""
_UNKNOWN_PASSPHRASE = b"nobody knows this one"


def _wrong_password(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    entity = draft.issued.entity
    output = replace(entity.output, pkcs12_passphrase=_UNKNOWN_PASSPHRASE)
    return pkcs12.key_store(replace(draft.issued, entity=replace(entity, output=output)))


def _bad_mac(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.with_bad_mac(draft.issued)


def _other_key(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    other = draft.unrelated.key(draft.issued.entity.key)
    return pkcs12.key_store(replace(draft.issued, key=other))


def _no_certificate(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(replace(draft.issued, certificates=(), chain=()))


def _rc2(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(draft.issued, protection=pkcs12.Protection.RC2)


def _legacy(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(draft.issued, protection=pkcs12.Protection.LEGACY)


def _no_chain(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(replace(draft.issued, chain=()))


def _no_key(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(replace(draft.issued, key=None))


def _no_root(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.key_store(replace(draft.issued, chain=draft.issued.chain[:-1]))


def _edited(edit: Edit) -> Callable[[FileDraft], bytes]:
    """Return a function that writes the file after an edit of the PFX."""

    def make(draft: FileDraft) -> bytes:
        from pkigen.formats import pkcs12

        return pkcs12.with_edit(draft.issued, edit)

    return make


def _with_passphrase_file(make: Callable[[FileDraft], bytes]) -> Callable[[FileDraft, str], None]:
    """Return an alteration that writes the PKCS#12 file and its passphrase file."""

    def write(draft: FileDraft, _argument: str) -> None:
        draft.write("pkcs12", make(draft))
        draft.add_passphrase_file(draft.issued.entity.output.pkcs12_passphrase)

    return write


def _renamed(draft: FileDraft, alias: str) -> None:
    """Write the PKCS#12 file with another alias."""
    from pkigen.formats import pkcs12

    entity = draft.issued.entity
    output = replace(entity.output, alias=alias)
    draft.write("pkcs12", pkcs12.key_store(replace(draft.issued, entity=replace(entity, output=output))))
    draft.add_passphrase_file(entity.output.pkcs12_passphrase)


PKCS12_ALTERATIONS: dict[str, Callable[[FileDraft, str], None]] = {
    "wrong-password": _with_passphrase_file(_wrong_password),
    "bad-mac": _with_passphrase_file(_bad_mac),
    "other-key": _with_passphrase_file(_other_key),
    "no-certificate": _with_passphrase_file(_no_certificate),
    "rc2": _with_passphrase_file(_rc2),
    "legacy": _with_passphrase_file(_legacy),
    "no-chain": _with_passphrase_file(_no_chain),
    "no-key": _with_passphrase_file(_no_key),
    "no-root": _with_passphrase_file(_no_root),
    "alias": _renamed,
    "null-content": _with_passphrase_file(_edited(Edit(_AUTH_SAFE_CONTENT, EditOp.REMOVE))),
    "no-mac": _with_passphrase_file(_edited(Edit(_MAC, EditOp.REMOVE))),
    "mac-iterations": _with_passphrase_file(
        _edited(Edit(_ITERATIONS, EditOp.REPLACE, der.integer(1_000_000_000)))
    ),
}
