"""``@pytest.mark.pki_cases``: selects the cases of a test before the environment is built."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

import pytest

from pkigen.environment.build.expected_cases import ExpectedCase
from pkigen.errors import InputError, PkigenError
from pkigen.pytest_plugin.session import Source, profile_cases, resolve_source

_EXPECTED = ("accept", "reject", "varies")
_STAGES = ("file", "parse", "path", "name", "revocation", "transport", "lint")
_HIDDEN: Any = getattr(pytest, "HIDDEN_PARAM", None)  # pytest 8.4 and later


def parametrize(metafunc: pytest.Metafunc, mark: pytest.Mark) -> None:
    """Run a test for the cases of its mark; the test IDs are their names."""
    if "pki_case" not in metafunc.fixturenames:
        name = metafunc.function.__name__
        raise pytest.Collector.CollectError(f"{name} is marked with pki_cases, and has no argument pki_case")
    try:
        source, chosen = _chosen(metafunc.config, *mark.args, **mark.kwargs)
    except TypeError as error:
        raise pytest.Collector.CollectError(f"pki_cases: {error}".replace("_chosen()", "the mark")) from error
    except PkigenError as error:
        raise pytest.Collector.CollectError(f"pki_cases: {error}") from error
    if source is not None:
        hidden = [_HIDDEN] if _HIDDEN is not None else None
        metafunc.parametrize("pki", [source], indirect=True, scope="session", ids=hidden)
    names = [one.name for one in chosen]
    metafunc.parametrize("pki_case", names, indirect=True, ids=names)


def _chosen(
    config: pytest.Config,
    profile: Source | None = None,
    /,
    *,
    faults: str | Sequence[str] | None = None,
    names: str | None = None,
    expected: str | Sequence[str] | None = None,
    stages: str | Sequence[str] | None = None,
) -> tuple[Source | None, tuple[ExpectedCase, ...]]:
    """Return the profile if it is not the session's, and the cases; InputError if there are none."""
    own = resolve_source(config, config.getini("pki_profile"))
    source = own if profile is None else resolve_source(config, profile)
    cases = profile_cases(config, source)
    if faults is not None:
        cases = _with_faults(cases, _as_sequence(faults))
    if names is not None:
        cases = tuple(one for one in cases if fnmatchcase(one.name, names))
    if expected is not None:
        accepted = _known_values("expected", expected, _EXPECTED)
        cases = tuple(one for one in cases if one.expected in accepted)
    if stages is not None:
        accepted = _known_values("stages", stages, _STAGES)
        cases = tuple(one for one in cases if one.stage in accepted)
    if not cases:
        arguments = {"faults": faults, "names": names, "expected": expected, "stages": stages}
        words = ", ".join(f"{key}={value!r}" for key, value in arguments.items() if value is not None)
        raise InputError(f"no case of the profile matches {words or 'this mark'}")
    return None if source == own else source, cases


def _with_faults(cases: Iterable[ExpectedCase], names: Sequence[str]) -> tuple[ExpectedCase, ...]:
    """Return the cases with one of the faults; InputError for a fault that no case has."""
    broken = [one for one in cases if one.faults]
    missing = [name for name in names if not any(one.has(name) for one in broken)]
    if missing:
        known = [fault.partition("/")[2] for one in broken for fault in one.faults]
        close = get_close_matches(missing[0], known, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise InputError(f"no case of the profile has the fault '{missing[0]}'{hint}")
    return tuple(one for one in broken if any(map(one.has, names)))


def _known_values(argument: str, values: str | Sequence[str], known: Sequence[str]) -> Sequence[str]:
    """Return the values of an argument; InputError for an unknown one."""
    strange = [word for word in _as_sequence(values) if word not in known]
    if strange:
        raise InputError(f"{argument}={strange[0]!r} is not one of {', '.join(known)}")
    return _as_sequence(values)


def _as_sequence(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
