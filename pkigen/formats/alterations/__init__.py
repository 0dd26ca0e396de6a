"""Files of an entity written wrong on purpose, one function for each way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.formats.alterations.certificate import CERTIFICATE_WAYS
from pkigen.formats.alterations.chain import CHAIN_WAYS
from pkigen.formats.alterations.draft import Draft, Strangers
from pkigen.formats.alterations.key import KEY_WAYS
from pkigen.formats.alterations.pkcs12 import PKCS12_WAYS
from pkigen.formats.alterations.text import TEXT_WAYS
from pkigen.formats.names import RENAME, file_name
from pkigen.model import Alteration

__all__ = ["Draft", "Strangers", "alter"]

_WAYS: dict[str, dict[str, Callable[[Draft, str], None]]] = {
    "certificate": CERTIFICATE_WAYS,
    "key": KEY_WAYS,
    "chain": CHAIN_WAYS,
    "pkcs12": PKCS12_WAYS,
}


def alter(draft: Draft, alteration: Alteration) -> None:
    """Make one alteration; a file that is not there (any more) stays away."""
    role, how, argument = alteration.file, alteration.how, alteration.argument
    held = draft.files.get(role)
    if held is None:
        return
    if how == RENAME:
        draft.files[role] = replace(held, path=file_name(draft.issued.entity, role))
    elif how in TEXT_WAYS:
        draft.write(role, TEXT_WAYS[how](held.data, argument))
    else:
        _WAYS[role][how](draft, argument)
