"""Parses requests for faults: an ID, a glob of FAMILY/ID, ``all``, or an ID with parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from typing import Any

from pkigen.cases.case import Case
from pkigen.clock import parse_span
from pkigen.faults.registry import (
    ENROLMENT_FAULTS,
    FAULTS,
    Argument,
    FaultType,
    Parameter,
    load_catalog,
    matching,
)

_LONGEST_TEXT = 253
_LARGEST_COUNT = 100_000
_LONGEST_SPAN = timedelta(days=36_525)


@dataclass(frozen=True)
class FaultRequest:
    """A fault with the names and values of its changed parameters."""

    type: FaultType
    arguments: tuple[tuple[str, str], ...] = ()

    def apply(self, case: Case) -> Case:
        """Return the case with the fault; Impossible if it cannot have it."""
        defaults = {parameter.name: parameter for parameter in self.type.parameters}
        given = {name: _value(defaults[name], text) for name, text in self.arguments}
        changed = self.type.change(case, **given)
        if not isinstance(changed, Case):
            raise TypeError(f"{self.type.id} gave no case")
        return changed

    @property
    def says(self) -> str:
        """The statement of the fault, with the requested values of its parameters."""
        defaults = {parameter.name: parameter for parameter in self.type.parameters}
        return self.type.summary(**{name: _value(defaults[name], text) for name, text in self.arguments})

    @property
    def form(self) -> str | dict[str, dict[str, str]]:
        """The fault in the form of a profile."""
        return {self.type.id: dict(self.arguments)} if self.arguments else self.type.id

    @property
    def text(self) -> str:
        """The ID with its parameters."""
        arguments = ", ".join(f"{name}: {value}" for name, value in self.arguments)
        return f"{self.type.id} ({arguments})" if arguments else self.type.id


def parse_faults(value: Any) -> tuple[FaultRequest, ...]:
    """Parse one entry of a list of faults; ValueError if it is invalid."""
    if isinstance(value, FaultRequest):
        return (value,)
    if isinstance(value, str):
        types = matching(value)
        if not types:
            raise ValueError(_unknown(value))
        return tuple(map(FaultRequest, types))
    if not isinstance(value, Mapping) or len(value) != 1:
        raise ValueError("a fault must be an ID, or one ID with its parameters: {expired: {by: 1s}}")
    load_catalog()
    ((name, arguments),) = value.items()
    if name not in FAULTS:
        raise ValueError(_unknown(str(name)))
    if not isinstance(arguments, Mapping):
        raise ValueError(f"the parameters of '{name}' must be a mapping: {{{name}: {{NAME: VALUE}}}}")
    return (FaultRequest(FAULTS[name], tuple(_arguments(FAULTS[name], arguments))),)


def parse_fault_list(values: Iterable[Any]) -> tuple[FaultRequest, ...]:
    """Parse a list of faults, in the order of the catalog; entries with parameters replace those without."""
    requests = dict[str, FaultRequest]()
    for value in values:
        for request in parse_faults(value):
            if request.arguments or request.type.id not in requests:
                requests[request.type.id] = request
    return tuple(requests[one] for one in FAULTS if one in requests)


@dataclass(frozen=True)
class EnrolmentFaultRequest:
    """A fault of the enrollment server, or of the certificates that it issues.

    It applies ``times`` times (None: always), to requests of the operation ``endpoint`` for a name that
    matches the pattern ``identifier``; empty strings match everything.
    """

    fault: FaultRequest
    times: int | None = None
    endpoint: str = ""
    identifier: str = ""

    @property
    def values(self) -> dict[str, Argument]:
        """The values of the parameters."""
        given = dict(self.fault.arguments)
        return {
            one.name: _value(one, given[one.name]) if one.name in given else one.default
            for one in self.fault.type.parameters
        }


_TIMES = Parameter("times", 1)
_FILTERS = (Parameter("endpoint", ""), Parameter("identifier", ""))


def parse_enrolment_fault(value: Any) -> EnrolmentFaultRequest:
    """Parse a fault for the enrollment server; ValueError if it is invalid.

    It is an ID, or an ID with parameters, of which ``times``, ``endpoint`` and ``identifier`` belong to every
    fault: ``{est-pending: {times: 3}}``. Faults of certificates are allowed, too.
    """
    load_catalog()
    ((name, given),) = value.items() if isinstance(value, Mapping) and len(value) == 1 else ((value, {}),)
    known = ENROLMENT_FAULTS.get(str(name)) or FAULTS.get(str(name))
    if known is None:
        raise ValueError(_unknown(str(name), {**ENROLMENT_FAULTS, **FAULTS}))
    if not isinstance(given, Mapping):
        raise ValueError(f"the parameters of '{name}' must be a mapping: {{{name}: {{times: 1}}}}")
    texts = {key: str(text) if type(text) is int else text for key, text in given.items()}
    common = FaultType(
        known.id, "", "V", "enrolment", "", "", "", known.change, (_TIMES, *_FILTERS, *known.parameters)
    )
    arguments = dict(_arguments(common, texts))
    times = arguments.pop(_TIMES.name, None)
    endpoint, identifier = (arguments.pop(one.name, "") for one in _FILTERS)
    request = FaultRequest(known, tuple(arguments.items()))
    return EnrolmentFaultRequest(request, None if times is None else int(times), endpoint, identifier)


def _arguments(known: FaultType, arguments: Mapping[Any, Any]) -> Iterable[tuple[str, str]]:
    parameters = {parameter.name: parameter for parameter in known.parameters}
    for name, text in arguments.items():
        if name not in parameters:
            names = ", ".join(parameters) or "none"
            raise ValueError(f"'{known.id}' has no parameter '{name}'; its parameters: {names}")
        if not isinstance(text, str):
            raise ValueError(f"the parameter '{name}' of '{known.id}' must be a string")
        try:
            _value(parameters[name], text)
        except ValueError as error:
            raise ValueError(f"the parameter '{name}' of '{known.id}': {error}") from None
        yield name, str(text)


def _value(parameter: Parameter, text: str) -> Argument:
    """Convert a string to the type of the parameter's default: a duration, a count, a string."""
    if isinstance(parameter.default, timedelta):
        span = parse_span(text)
        length = timedelta(days=span.months * 30, seconds=span.seconds)
        if not timedelta() < length <= _LONGEST_SPAN:
            raise ValueError(f"'{text}' is not a duration between 0 and 100 years")
        return length
    if isinstance(parameter.default, int):
        if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= _LARGEST_COUNT:
            raise ValueError(f"'{text}' is not a number from 1 to {_LARGEST_COUNT}")
        return int(text)
    if parameter.choices and text not in parameter.choices:
        raise ValueError(f"'{text}' is not one of {', '.join(parameter.choices)}")
    if not 0 < len(text) <= _LONGEST_TEXT or not text.isprintable():
        raise ValueError(f"the value must have 1 to {_LONGEST_TEXT} printable characters")
    return text


def _unknown(text: str, faults: Mapping[str, FaultType] = FAULTS) -> str:
    if text in ENROLMENT_FAULTS:
        return f"{text} is a fault of the enrollment server; see `pkigen faults {text}` for its place"
    families = {one.family: f"{one.family}/*" for one in faults.values()}
    names = {**{name: name for name in faults}, **families}
    close = get_close_matches(text.lower(), names, 1)
    hint = f" (did you mean '{names[close[0]]}'?)" if close else "; `pkigen faults` lists them"
    return f"no such fault: '{text[:80]}'{hint}"
