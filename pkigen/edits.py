"""Edits of signed structures: what a fault changes in the octets, before or after they are signed."""

from __future__ import annotations

from functools import partial

from pkigen import der
from pkigen.model import Edit, Surgery


def edited(data: bytes, edits: tuple[Edit, ...], *, signed: bool) -> bytes:
    """A structure after those of its edits that are signed, or those that are not."""
    for edit in edits:
        if edit.signed is signed:
            data = der.edit(data, edit.path, partial(_operate, edit))
    return data


def _operate(edit: Edit, found: bytes) -> bytes:
    return edit.data + found if edit.surgery is Surgery.INSERT else edit.data
