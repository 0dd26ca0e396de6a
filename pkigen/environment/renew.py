"""Issuing anew what has not changed, by the profile that an environment was built from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions, BuildResult, Progress
from pkigen.environment.build.session import clock_of, random_serial
from pkigen.environment.source_profile import find_entities, load_source_profile, with_requested_faults
from pkigen.errors import InputError
from pkigen.plan import plan
from pkigen.profile import Profile
from pkigen.store import Store


def renew(folder: Path, names: Sequence[str], progress: Progress | None = None) -> BuildResult:
    """Issue entities anew, keys kept, and what follows from it; names as in the profile.

    ``authorities/NAME`` and ``certificates/NAME`` tell two of one name apart. InputError when the
    environment does not know a name, or was not built from a file that is still there.
    """
    with Store.open(folder, write=False) as store:
        known = list(store.index.ids())
        wanted = frozenset(found for name in names for found in find_entities(name, known))
        profile = load_source_profile(folder)
        _check_still_there(with_requested_faults(profile, store), wanted)
    out = folder.parent if folder.name == profile.name else folder.resolve().parent
    return build(profile, out, BuildOptions(renew=wanted), progress)


def _check_still_there(profile: Profile, wanted: frozenset[str]) -> None:
    planned = plan(profile, clock_of(BuildOptions()), random_serial)
    there = {entity.id for entity in (*planned.authorities, *planned.certificates())}
    gone = sorted(wanted - there)
    if gone:
        raise InputError(
            f"the profile no longer has {', '.join(gone)}; what it does not have cannot be renewed"
        )
