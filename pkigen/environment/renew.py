"""Reissues certificates that did not change, from the profile that the environment was built from."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence, Set
from itertools import chain
from pathlib import Path

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions, BuildResult, Progress
from pkigen.environment.source_profile import (
    find_entities,
    is_glob,
    load_source_profile,
    matches_any,
    output_directory,
)
from pkigen.errors import InputError
from pkigen.model import Role
from pkigen.store import Store


def renew(
    folder: Path,
    names: Sequence[str],
    progress: Progress | None = None,
    *,
    expiring: Sequence[str] = (),
    replace_root: bool = False,
) -> BuildResult:
    """Reissue entities with their existing keys, and everything below them.

    A certificate that a device requested is issued again for the request that is recorded. A fleet, or a
    certificate of one, selects whole shards, which get new keys.

    ``names`` are names of the profile; ``authorities/NAME`` and ``certificates/NAME`` distinguish two
    entities with the same name. Of the ids in ``expiring`` and of those that a glob selects, requested
    certificates that cannot be issued again are skipped with a note. Raises InputError if the environment
    has no such entity, the profile no longer contains it, the file of the profile no longer exists, or a
    root gets a new key without ``replace_root``.
    """
    with Store.open(folder, write=False) as store:
        known = list(store.index.ids())
        enrolled = store.index.enrolled.ids()
        in_fleets = {name: _in_fleets(store, name) for name in names}
    selected = {
        name: find_entities(name, known) if matches_any(name, known) or not in_fleets[name] else []
        for name in names
    }
    named = {entity for name in names if not is_glob(name) for entity in selected[name]}
    renewals = frozenset({*chain.from_iterable((*selected.values(), *in_fleets.values())), *expiring})
    profile = load_source_profile(folder)
    notes = list(_renew_requested(folder, renewals & enrolled, named))
    options = BuildOptions(renew=renewals - enrolled, replace_root=replace_root)
    result = build(profile, output_directory(folder, profile), options, progress)
    result.summary.notes += notes
    return result


def _in_fleets(store: Store, name: str) -> list[str]:
    """Return the id of a certificate of each shard that a name selects."""
    prefix = f"{Role.CERTIFICATE}/"
    return [prefix + member for member in store.index.shards.selected(name.removeprefix(prefix))]


def _renew_requested(folder: Path, requested: Set[str], named: Container[str]) -> Iterator[str]:
    """Issue requested certificates again, those in ``named`` first, and yield a note for each."""
    if not requested:
        return
    from pkigen.environment.enrol import Enroller, Rejected

    enroller = Enroller(folder)
    for entity in sorted(requested, key=lambda entity: (entity not in named, entity)):
        name = entity.partition("/")[2]
        try:
            enroller.renew(name)
        except (InputError, Rejected) as error:
            if entity in named:
                raise
            yield f"{name} is not renewed: {error}"
        else:
            yield f"{name} is issued again, for its recorded request"
