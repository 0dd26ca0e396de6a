"""The catalogue of faults: one function each, known by the id that its name gives.

A fault's family is the module that it stands in. Its docstring is what people read: the first line
says what is wrong, the rest how it shows.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from pkigen.faults.case import Case

Verdict = Literal["R", "A", "P", "V"]
"""What a strict validator of paths does: Refuse, Accept (a control), Pass (linters and appliances see
it), or Vary from one to the next."""

VERDICTS = {
    "R": "a strict validator refuses it",
    "A": "a control: it must be accepted",
    "P": "no path validator refuses it as such; profile rules and linters do",
    "V": "validators differ",
}
Change = Callable[[Case], Case]
Stage = Literal["file", "parse", "path", "name", "revocation", "transport", "lint"]


@dataclass(frozen=True)
class FaultType:
    """One entry: ``stage`` is where it shows, ``clause`` what it breaks (RFC 5280's, if not named)."""

    id: str
    family: str
    verdict: Verdict
    stage: Stage
    clause: str
    says: str
    shows: str
    apply: Callable[[Case], Case]


FAULTS: dict[str, FaultType] = {}
"""Every fault by its id, in the order of families and of their files."""


def fault(verdict: Verdict, stage: Stage, clause: str) -> Callable[[Change], Change]:
    """Make a function known as a fault; a second one of the same name is a mistake."""

    def register(function: Change) -> Change:
        family = function.__module__.rpartition(".")[2].replace("_", "-")
        says, _, shows = inspect.cleandoc(function.__doc__ or "").partition("\n")
        own_id = function.__name__.strip("_").replace("_", "-")
        known = FaultType(own_id, family, verdict, stage, clause, says, shows.strip(), function)
        assert known.id not in FAULTS, known.id
        FAULTS[known.id] = known
        return function

    return register


def matching(patterns: tuple[str, ...]) -> tuple[FaultType, ...]:
    """The faults that ids and globs of ``FAMILY/ID`` name, in the catalogue's order; ``all`` names all.

    ValueError for a pattern that names none.
    """
    chosen = set[str]()
    for pattern in patterns:
        found = {one.id for one in FAULTS.values() if _matches(one, pattern)}
        if not found:
            raise ValueError(pattern)
        chosen |= found
    return tuple(one for one in FAULTS.values() if one.id in chosen)


def _matches(one: FaultType, pattern: str) -> bool:
    return pattern in ("all", one.id) or fnmatchcase(f"{one.family}/{one.id}", pattern)
