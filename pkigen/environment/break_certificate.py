"""Broken copies of certificates in an environment that is there, beside those that its profile asks for."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions, BuildResult, Progress
from pkigen.environment.source_profile import (
    fault_id,
    load_source_profile,
    requested_faults,
    save_requested_faults,
)
from pkigen.errors import InputError, Problem
from pkigen.faults import AskedFault, asked_for
from pkigen.profile import Profile
from pkigen.profile.fields import close_to
from pkigen.profile.top_level import Negatives
from pkigen.store import Store


def break_certificate(
    folder: Path, name: str, faults: Sequence[Any], *, undo: bool = False, progress: Progress | None = None
) -> BuildResult:
    """Add a case NAME.FAULT for each of some faults, which builds keep from now on; or forget them.

    ``faults`` are ids, globs of FAMILY/ID, or ids with parameters, as in a profile. InputError when
    there is no such certificate or fault, when the certificate cannot have it, and for what ``renew``
    raises it.
    """
    try:
        asked = [one for fault in faults for one in asked_for(fault)]
    except ValueError as error:
        raise InputError(str(error)) from None
    profile = load_source_profile(folder)
    if not undo:
        _check(profile, name, asked)
    with Store.open(folder, write=True) as store:
        held = requested_faults(store)
        ids = {one.type.id for one in asked}
        kept = [found for found in held if found["of"] != name or fault_id(found["fault"]) not in ids]
        if undo and len(kept) == len(held):
            raise InputError(f"{name} was not broken so: {', '.join(sorted(ids))}")
        added = [] if undo else [{"of": name, "fault": _written(one)} for one in asked]
        save_requested_faults(store, [*kept, *added])
    out = folder.parent if folder.name == profile.name else folder.resolve().parent
    return build(profile, out, BuildOptions(), progress)


def _written(asked: AskedFault) -> str | dict[str, dict[str, str]]:
    return {asked.type.id: dict(asked.arguments)} if asked.arguments else asked.type.id


def _check(profile: Profile, name: str, asked: Sequence[AskedFault]) -> None:
    """Refuse what a build would pass over: the one who asks stands before it."""
    from pkigen.environment.build.session import clock_of, random_serial
    from pkigen.plan import plan

    specs = {spec.name: spec for spec in profile.certificates()}
    if name not in specs:
        hint = close_to(name, tuple(specs))
        raise InputError(Problem("the profile has no such certificate", name, None, hint))
    if specs[name].faults:
        raise InputError(f"{name} has a fault itself, and a case has one wrong thing")
    tried = copy.copy(profile)
    tried.negatives = (Negatives(of=name, faults=tuple(asked)),)
    for passed in plan(tried, clock_of(BuildOptions()), random_serial).passed:
        raise InputError(f"{passed.name} cannot be made: {passed.reason}")
