"""PKCS#12 files (RFC 7292) that are wrong, and the passphrase that the uploader is given for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.formats.alterations.draft import FileDraft

_UNKNOWN_PASSPHRASE = b"nobody knows this one"


def _wrong_password(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12 as containers

    entity = draft.issued.entity
    output = replace(entity.output, pkcs12_passphrase=_UNKNOWN_PASSPHRASE)
    return containers.key_store(replace(draft.issued, entity=replace(entity, output=output)))


def _bad_mac(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.with_bad_mac(draft.issued)


def _other_key(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    other = draft.strangers.key(draft.issued.entity.key)
    return pkcs12.with_other_key(draft.issued, other, draft.entropy)


def _no_certificate(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12 as containers

    return containers.key_store(replace(draft.issued, certificates=(), chain=()))


def _rc2(draft: FileDraft) -> bytes:
    from pkigen.formats import pkcs12

    return pkcs12.with_rc2(draft.issued, draft.entropy)


def _given(make: Callable[[FileDraft], bytes]) -> Callable[[FileDraft, str], None]:
    """The file, and the passphrase that the entity's PKCS#12 files are under."""

    def write(draft: FileDraft, _argument: str) -> None:
        draft.write("pkcs12", make(draft))
        draft.give(draft.issued.entity.output.pkcs12_passphrase)

    return write


PKCS12_ALTERATIONS: dict[str, Callable[[FileDraft, str], None]] = {
    "wrong-password": _given(_wrong_password),
    "bad-mac": _given(_bad_mac),
    "other-key": _given(_other_key),
    "no-certificate": _given(_no_certificate),
    "rc2": _given(_rc2),
}
