"""Files of an entity written wrong on purpose, one function for each way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.formats.alterations.certificate import CERTIFICATE_ALTERATIONS
from pkigen.formats.alterations.chain import CHAIN_ALTERATIONS
from pkigen.formats.alterations.draft import FileDraft, UnrelatedKeys
from pkigen.formats.alterations.key import KEY_ALTERATIONS
from pkigen.formats.alterations.pkcs12 import PKCS12_ALTERATIONS
from pkigen.formats.alterations.text import TEXT_ALTERATIONS
from pkigen.formats.names import RENAME, file_name
from pkigen.model import Alteration

__all__ = ["FileDraft", "UnrelatedKeys", "alter"]

_WAYS: dict[str, dict[str, Callable[[FileDraft, str], None]]] = {
    "certificate": CERTIFICATE_ALTERATIONS,
    "key": KEY_ALTERATIONS,
    "chain": CHAIN_ALTERATIONS,
    "pkcs12": PKCS12_ALTERATIONS,
}


def alter(draft: FileDraft, alteration: Alteration) -> None:
    """Make one alteration; a file that is not there (any more) stays away."""
    role, how, argument = alteration.file, alteration.how, alteration.argument
    held = draft.files.get(role)
    if held is None:
        return
    if how == RENAME:
        draft.files[role] = replace(held, path=file_name(draft.issued.entity, role))
    elif how in TEXT_ALTERATIONS:
        draft.write(role, TEXT_ALTERATIONS[how](held.data, argument))
    else:
        _WAYS[role][how](draft, argument)
