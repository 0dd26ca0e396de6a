"""The catalog of faults: one function each, whose name is the fault ID.

The module or package that defines a fault is its family. Its docstring is published: the first line states
the fault, the rest what a client reports and what to do. Its keyword arguments are its parameters; ``{NAME}``
in the docstring is replaced by the value of a parameter.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any, Literal, TypeVar

from pkigen.cases.case import Case, Impossible

Verdict = Literal["R", "A", "P", "V"]
"""Verdict of strict path validators: Reject, Accept (a control), Pass (only linters and appliances report
it), or Vary."""

VERDICTS = {
    "R": "strict validators reject the certificate",
    "A": "control case: validators must accept the certificate",
    "P": "path validators accept the certificate; linters and profile rules report it",
    "V": "validators differ",
}
Stage = Literal["file", "parse", "path", "name", "revocation", "transport", "lint", "enrolment"]
Change = TypeVar("Change", bound=Callable[..., Case])
Argument = timedelta | int | str
_HERE = "pkigen.faults.families"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a fault; the type of the default is its type. ``choices`` are the permitted values."""

    name: str
    default: Argument
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class FaultType:
    """A fault: ``stage`` is where it is visible, ``clause`` what it violates (of RFC 5280 by default).

    ``finds`` contains exactly the findings of pkigen's own tools: the rules of ``pkigen verify`` after
    ``path:``, and the violated requirements of the sets defender-iot, rfc5280 and web-server. ``sent`` is
    false if the fault is only in a file of the server, and what it presents to TLS clients is sound.
    ``cves`` are published vulnerabilities that such certificates or files exploit.
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
    template: str = ""
    sent: bool = True
    cves: tuple[str, ...] = ()

    @property
    def is_of_server(self) -> bool:
        """Whether it is a fault of the enrollment server, which no certificate can have."""
        return self.stage == "enrolment"

    def summary(self, **arguments: Argument) -> str:
        """Return the statement of the fault with these values of its parameters instead of the defaults."""
        values = {parameter.name: parameter.default for parameter in self.parameters}
        return _filled(self.template, {**values, **arguments})


FAULTS: dict[str, FaultType] = {}
"""Every fault by ID, in the order of the families and their files."""


def fault(
    verdict: Verdict,
    stage: Stage,
    clause: str,
    *,
    finds: tuple[str, ...] = (),
    called: str | None = None,
    sent: bool = True,
    cves: tuple[str, ...] = (),
) -> Callable[[Change], Change]:
    """Register a function as a fault; a duplicate ID is an error.

    ``called`` is the ID if it cannot be the name of a function. FaultType describes ``sent`` and ``cves``.
    """

    def register(function: Change) -> Change:
        family = _family(function.__module__)
        says, _, shows = inspect.cleandoc(function.__doc__ or "").partition("\n")
        own_id = called or function.__name__.strip("_").replace("_", "-")
        parameters = tuple(map(_parameter, list(inspect.signature(function).parameters.values())[1:]))
        known = FaultType(
            own_id,
            family,
            verdict,
            stage,
            clause,
            says,
            shows.strip(),
            function,
            parameters,
            finds,
            sent=sent,
            cves=cves,
        )
        defaults = {parameter.name: parameter.default for parameter in parameters}
        known = replace(
            known, says=_filled(says, defaults), shows=_filled(known.shows, defaults), template=says
        )
        _check(known, function)
        FAULTS[known.id] = known
        return function

    return register


ENROLMENT_FAULTS: dict[str, FaultType] = {}
"""Every fault of the enrollment server by ID. They change responses, not certificates."""


def enrolment_fault(
    clause: str, **choices: tuple[str, ...]
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a fault of the enrollment server: its name, docstring and parameters.

    ``choices`` are the permitted values of parameters. The protocols apply the fault; the function is never
    called.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        says, _, shows = inspect.cleandoc(function.__doc__ or "").partition("\n")
        own_id = function.__name__.replace("_", "-")
        parameters = tuple(
            replace(one, choices=choices.get(one.name, ()))
            for one in map(_parameter, inspect.signature(function).parameters.values())
        )
        defaults = {parameter.name: parameter.default for parameter in parameters}
        ENROLMENT_FAULTS[own_id] = FaultType(
            own_id,
            own_id.partition("-")[0],
            "V",
            "enrolment",
            clause,
            _filled(says, defaults),
            _filled(shows.strip(), defaults),
            _only_in_responses,
            parameters,
            template=says,
        )
        return function

    return register


def _only_in_responses(_case: Case, **_arguments: Argument) -> Case:
    raise Impossible("it is a fault of the enrollment server, not of a certificate")


def _check(known: FaultType, function: Callable[..., Case]) -> None:
    """Raise ValueError with the remedy if a fault has no text or clause, or an ID that exists already."""
    place = f"{function.__module__}.{function.__name__}"
    if not known.says or not known.shows:
        raise ValueError(
            f"fault '{known.id}' ({place}): add a docstring; its first line states the fault "
            "('The certificate ...'), and after a blank line follows what a client reports"
        )
    if not known.clause:
        raise ValueError(f"fault '{known.id}' ({place}): pass the clause that it violates to @fault")
    if (other := FAULTS.get(known.id)) is not None:
        raise ValueError(
            f"fault '{known.id}' ({place}) is already defined in {other.change.__module__}; "
            "rename the function or pass another ID to @fault"
        )


def _family(module: str) -> str:
    return module.removeprefix(f"{_HERE}.").partition(".")[0].replace("_", "-")


def arrange(modules: Iterable[str]) -> None:
    """Sort the catalog by family: those of ``modules`` in this order, then other families by name."""
    places = {_family(module): place for place, module in enumerate(modules)}
    ordered = sorted(
        FAULTS.items(), key=lambda item: (places.get(item[1].family, len(places)), item[1].family)
    )
    FAULTS.clear()
    FAULTS.update(ordered)


def _parameter(parameter: inspect.Parameter) -> Parameter:
    default: Any = parameter.default
    assert parameter.kind is parameter.KEYWORD_ONLY, parameter
    assert isinstance(default, Argument), parameter
    return Parameter(parameter.name, default)


def _filled(template: str, values: Mapping[str, Argument]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", _in_words(value))
    return template


def _in_words(value: Argument) -> str:
    """Return a parameter's value for a sentence: ``1 day``, ``90 minutes``, ``1,000``."""
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, timedelta):
        return value
    seconds = int(value.total_seconds())
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    unit, length = next(pair for pair in units if seconds % pair[1] == 0)
    count = seconds // length
    return f"{count} {unit}{'' if count == 1 else 's'}"


def load_catalog() -> None:
    """Import the modules of all faults, unless they are imported already."""
    import_module("pkigen.faults.catalog")


def matching(pattern: str, faults: Mapping[str, FaultType] = FAULTS) -> tuple[FaultType, ...]:
    """Return the faults for an ID, a glob of ``FAMILY/ID`` or ``all``, in the order of the catalog."""
    load_catalog()
    return tuple(
        one
        for one in faults.values()
        if pattern in ("all", one.id) or fnmatchcase(f"{one.family}/{one.id}", pattern)
    )
