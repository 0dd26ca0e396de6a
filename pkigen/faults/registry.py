"""The catalogue of faults: one function each, known by the id that its name gives.

A fault's family is the module, or the package, that it stands in. Its docstring is what people read:
the first line says what is wrong, the rest how it shows. Its keyword arguments are its parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeVar

from pkigen.cases.case import Case

Verdict = Literal["R", "A", "P", "V"]
"""What a strict validator of paths does: Refuse, Accept (a control), Pass (linters and appliances see
it), or Vary from one to the next."""

VERDICTS = {
    "R": "a strict validator refuses it",
    "A": "a control: it must be accepted",
    "P": "no path validator refuses it as such; profile rules and linters do",
    "V": "validators differ",
}
Stage = Literal["file", "parse", "path", "name", "revocation", "transport", "lint"]
Change = TypeVar("Change", bound=Callable[..., Case])
Argument = timedelta | int | str
_HERE = "pkigen.faults.families"


@dataclass(frozen=True)
class Parameter:
    """Something of a fault that can be said otherwise; the default's type tells what it is."""

    name: str
    default: Argument


@dataclass(frozen=True)
class FaultType:
    """One entry: ``stage`` is where it shows, ``clause`` what it breaks (RFC 5280's, if not named).

    ``finds`` is what our own tools say of it, and nothing else: the rules of ``pkigen verify`` after
    ``path:``, and the requirements of the sets defender-iot, rfc5280 and web-server that do not hold.
    """

    id: str
    family: str
    verdict: Verdict
    stage: Stage
    clause: str
    says: str
    shows: str
    change: Callable[..., Case]
    parameters: tuple[Parameter, ...] = ()
    finds: tuple[str, ...] = ()


FAULTS: dict[str, FaultType] = {}
"""Every fault by its id, in the order of families and of their files."""


def fault(
    verdict: Verdict,
    stage: Stage,
    clause: str,
    *,
    finds: tuple[str, ...] = (),
    called: str | None = None,
) -> Callable[[Change], Change]:
    """Make a function known as a fault; a second one of the same id is a mistake.

    ``called`` is the id where no name of a function can be it.
    """

    def register(function: Change) -> Change:
        family = _family(function.__module__)
        says, _, shows = inspect.cleandoc(function.__doc__ or "").partition("\n")
        own_id = called or function.__name__.strip("_").replace("_", "-")
        parameters = tuple(map(_parameter, list(inspect.signature(function).parameters.values())[1:]))
        known = FaultType(
            own_id, family, verdict, stage, clause, says, shows.strip(), function, parameters, finds
        )
        assert known.id not in FAULTS, known.id
        FAULTS[known.id] = known
        return function

    return register


def _family(module: str) -> str:
    return module.removeprefix(f"{_HERE}.").partition(".")[0].replace("_", "-")


def arrange(modules: Iterable[str]) -> None:
    """Put the catalogue into the order of its families' modules."""
    places = {_family(module): place for place, module in enumerate(modules)}
    ordered = sorted(FAULTS.items(), key=lambda item: places[item[1].family])
    FAULTS.clear()
    FAULTS.update(ordered)


def _parameter(found: inspect.Parameter) -> Parameter:
    default: Any = found.default
    assert found.kind is found.KEYWORD_ONLY, found
    assert isinstance(default, Argument), found
    return Parameter(found.name, default)


def matching(pattern: str) -> tuple[FaultType, ...]:
    """The faults that an id or a glob of ``FAMILY/ID`` names, in the catalogue's order; ``all`` names all."""
    return tuple(
        one
        for one in FAULTS.values()
        if pattern in ("all", one.id) or fnmatchcase(f"{one.family}/{one.id}", pattern)
    )
