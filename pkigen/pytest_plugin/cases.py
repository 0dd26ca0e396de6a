"""``@pytest.mark.pki_cases``: which cases a test runs for, known before anything is built."""

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
    """Run a test for the cases of its mark; the ids are their names."""
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
    """The profile if it is not the session's own, and the cases; InputError when there is none."""
    own = resolve_source(config, config.getini("pki_profile"))
    source = own if profile is None else resolve_source(config, profile)
    found = profile_cases(config, source)
    if faults is not None:
        found = _with_faults(found, _as_sequence(faults))
    if names is not None:
        found = tuple(one for one in found if fnmatchcase(one.name, names))
    if expected is not None:
        wanted = _known_values("expected", expected, _EXPECTED)
        found = tuple(one for one in found if one.expected in wanted)
    if stages is not None:
        wanted = _known_values("stages", stages, _STAGES)
        found = tuple(one for one in found if one.stage in wanted)
    if not found:
        asked = {"faults": faults, "names": names, "expected": expected, "stages": stages}
        words = ", ".join(f"{key}={value!r}" for key, value in asked.items() if value is not None)
        raise InputError(f"no case of the profile is meant by {words or 'this mark'}")
    return None if source == own else source, found


def _with_faults(cases: Iterable[ExpectedCase], wanted: Sequence[str]) -> tuple[ExpectedCase, ...]:
    """Those with a fault that is named; a name that no case has is a mistake."""
    broken = [one for one in cases if one.faults]
    missing = [name for name in wanted if not any(one.has(name) for one in broken)]
    if missing:
        known = [fault.partition("/")[2] for one in broken for fault in one.faults]
        close = get_close_matches(missing[0], known, n=1)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        raise InputError(f"no case of the profile has the fault '{missing[0]}'{hint}")
    return tuple(one for one in broken if any(map(one.has, wanted)))


def _known_values(argument: str, wanted: str | Sequence[str], known: Sequence[str]) -> Sequence[str]:
    """What an argument says, if all of it is known."""
    strange = [word for word in _as_sequence(wanted) if word not in known]
    if strange:
        raise InputError(f"{argument}={strange[0]!r} is none of {', '.join(known)}")
    return _as_sequence(wanted)


def _as_sequence(value: str | Sequence[str]) -> Sequence[str]:
    return (value,) if isinstance(value, str) else value
