"""Issuing anew what has not changed, by the profile that an environment was built from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from pkigen.environment.building import build
from pkigen.environment.options import BuildOptions, BuildResult, Progress
from pkigen.errors import InputError, Problem
from pkigen.model import Role
from pkigen.profile import Profile, load
from pkigen.store import Store


def renew(folder: Path, names: Sequence[str], progress: Progress | None = None) -> BuildResult:
    """Issue entities anew, keys kept, and what follows from it; names as in the profile.

    ``authorities/NAME`` and ``certificates/NAME`` tell two of one name apart. InputError when the
    environment does not know a name, or was not built from a file that is still there.
    """
    with Store.open(folder, write=False) as store:
        source = json.loads(store.index.meta("profile") or "null")
        known = list(store.index.ids())
    wanted = frozenset(found for name in names for found in _named(name, known))
    if source is None or not Path(source).is_file():
        where = f"{source} is gone" if source else "it was built by a program"
        raise InputError(f"{folder} cannot be renewed without its profile, and {where}; build it again")
    profile = load(Path(source))
    if folder.resolve().name != profile.name:
        raise InputError(f"{folder} is not the environment of {source}, which is called {profile.name} now")
    _check_still_there(profile, wanted)
    out = folder.parent if folder.name == profile.name else folder.resolve().parent
    return build(profile, out, BuildOptions(renew=wanted), progress)


def _check_still_there(profile: Profile, wanted: frozenset[str]) -> None:
    there = {f"{Role.AUTHORITY}/{spec.name}" for spec in profile.authorities}
    there |= {f"{Role.CERTIFICATE}/{spec.name}" for spec in profile.certificates()}
    gone = sorted(wanted - there)
    if gone:
        raise InputError(
            f"the profile no longer has {', '.join(gone)}; what it does not have cannot be renewed"
        )


def _named(name: str, known: Sequence[str]) -> list[str]:
    found = [entity for entity in known if name in (entity, entity.partition("/")[2])]
    if not found:
        names = [entity.partition("/")[2] for entity in known]
        close = get_close_matches(name, names, 1)
        raise InputError(
            Problem("the environment has no such entity", name, None, close[0] if close else None)
        )
    return found
