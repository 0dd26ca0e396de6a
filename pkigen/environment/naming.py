"""Entities by the names that people call them by."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from pkigen.errors import InputError, Problem


def named(name: str, known: Sequence[str]) -> list[str]:
    """The ids that a name stands for; ``authorities/NAME`` and ``certificates/NAME`` tell two apart.

    InputError, with what was perhaps meant, when there is none.
    """
    found = [entity for entity in known if name in (entity, entity.partition("/")[2])]
    if not found:
        names = [entity.partition("/")[2] for entity in known]
        close = get_close_matches(name, names, 1)
        raise InputError(
            Problem("the environment has no such entity", name, None, close[0] if close else None)
        )
    return found
