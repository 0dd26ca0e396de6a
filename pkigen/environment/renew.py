"""Reissues certificates that did not change, from the profile that the environment was built from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions, BuildResult, Progress
from pkigen.environment.source_profile import find_entities, load_source_profile, output_directory
from pkigen.store import Store


def renew(
    folder: Path, names: Sequence[str], progress: Progress | None = None, *, replace_root: bool = False
) -> BuildResult:
    """Reissue entities with their existing keys, and everything below them.

    A certificate that a device requested is issued again for the request that is recorded.

    ``names`` are names of the profile; ``authorities/NAME`` and ``certificates/NAME`` distinguish two
    entities with the same name. Raises InputError if the environment has no such entity, the profile no
    longer contains it, the file of the profile no longer exists, or a root gets a new key without
    ``replace_root``.
    """
    with Store.open(folder, write=False) as store:
        known = list(store.index.ids())
        enrolled = store.index.enrolled.ids()
    renewals = frozenset(entity for name in names for entity in find_entities(name, known))
    profile = load_source_profile(folder)
    if requested := sorted(renewals & enrolled):
        from pkigen.environment.enrol import Enroller

        enroller = Enroller(folder)
        for entity in requested:
            enroller.renew(entity.partition("/")[2])
        renewals -= enrolled
    options = BuildOptions(renew=renewals, replace_root=replace_root)
    result = build(profile, output_directory(folder, profile), options, progress)
    names_again = [entity.partition("/")[2] for entity in requested]
    result.summary.notes += [f"{name} is issued again, for its recorded request" for name in names_again]
    return result
