"""Writes files of an entity incorrectly on purpose; one function per alteration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.formats.alterations.archive import archive_alterations
from pkigen.formats.alterations.certificate import CERTIFICATE_ALTERATIONS
from pkigen.formats.alterations.chain import CHAIN_ALTERATIONS
from pkigen.formats.alterations.combined import COMBINED_ALTERATIONS, combined_alteration
from pkigen.formats.alterations.draft import FileDraft, UnrelatedKeys
from pkigen.formats.alterations.key import KEY_ALTERATIONS
from pkigen.formats.alterations.pkcs12 import PKCS12_ALTERATIONS
from pkigen.formats.alterations.text import TEXT_ALTERATIONS
from pkigen.formats.names import RENAME, file_name, renamed
from pkigen.model import Alteration

__all__ = ["FileDraft", "UnrelatedKeys", "alter"]

_READABLE = "readable"
"""The alteration that gives a secret file the mode of all others."""
_ALTERATIONS: dict[str, dict[str, Callable[[FileDraft, str], None]]] = {
    "certificate": CERTIFICATE_ALTERATIONS,
    "key": KEY_ALTERATIONS,
    "chain": CHAIN_ALTERATIONS,
    "pkcs12": PKCS12_ALTERATIONS,
    "zip": archive_alterations("zip"),
    "tar": archive_alterations("tar"),
}


def alter(draft: FileDraft, alteration: Alteration) -> None:
    """Apply one alteration; does nothing if the file does not exist, or an earlier one removed it."""
    role, how, argument = alteration.file, alteration.how, alteration.argument
    file = draft.files.get(role)
    if file is None:
        return
    if how == RENAME and role in ("certificate", "key", "chain"):
        draft.files[role] = replace(file, path=file_name(draft.issued.entity, role))
    elif how == RENAME:
        path = renamed(file.path, argument)
        taken = any(other.path == path for other in draft.files.values())
        draft.files[role] = replace(file, path=f"{role}-{path}" if taken else path)
    elif how == _READABLE:
        draft.files[role] = replace(file, secret=False)
    elif how in TEXT_ALTERATIONS:
        draft.write(role, TEXT_ALTERATIONS[how](file.data, argument))
    elif how in COMBINED_ALTERATIONS:
        combined_alteration(role, how, draft)
    else:
        _ALTERATIONS[role][how](draft, argument)
