"""The profile that an environment was built from, and lookup of its entities by name."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pkigen.errors import InputError, Problem
from pkigen.faults import asked_for
from pkigen.profile import Profile, load
from pkigen.profile.top_level import Negatives
from pkigen.store import Store

_RECORD = "breaks"


def load_source_profile(folder: Path) -> Profile:
    """The profile that an environment was built from; InputError when it is not to be had any more."""
    with Store.open(folder, write=False) as store:
        source = json.loads(store.index.meta("profile") or "null")
    if source is None or not Path(source).is_file():
        where = f"{source} is gone" if source else "it was built by a program"
        raise InputError(f"{folder} cannot be changed without its profile, and {where}; build it again")
    profile = load(Path(source))
    if folder.resolve().name != profile.name:
        raise InputError(f"{folder} is not the environment of {source}, which is called {profile.name} now")
    return profile


def with_requested_faults(profile: Profile, store: Store) -> Profile:
    """The profile with the broken copies that were asked for by command, as far as it does not have them."""
    held = requested_faults(store)
    if not held:
        return profile
    names = {spec.name for spec in profile.certificates() if not spec.faults}
    there = {(asked.of, one.type.id) for asked in profile.negatives for one in asked.faults}
    more = [
        Negatives(of=found["of"], faults=asked_for(found["fault"]))
        for found in held
        if found["of"] in names and (found["of"], fault_id(found["fault"])) not in there
    ]
    changed = copy.copy(profile)
    changed.negatives = (*profile.negatives, *more)
    return changed


def requested_faults(store: Store) -> list[dict[str, Any]]:
    """The broken copies asked for by command: ``of`` a certificate, with a ``fault`` as a profile says it."""
    found: list[dict[str, Any]] = json.loads(store.index.meta(_RECORD) or "[]")
    return found


def save_requested_faults(store: Store, breaks: Sequence[dict[str, Any]]) -> None:
    """Keep them for the builds to come."""
    store.index.set_meta(_RECORD, json.dumps(breaks))


def fault_id(written: str | dict[str, Any]) -> str:
    """The id of a fault that is written as in a profile."""
    return written if isinstance(written, str) else next(iter(written))


def find_entities(name: str, known: Sequence[str]) -> list[str]:
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
