"""Adds faulty copies of certificates to a built environment, in addition to those in its profile."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pkigen.documents.fields import close_to
from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions, BuildResult, Progress
from pkigen.environment.source_profile import (
    fault_id,
    load_source_profile,
    output_directory,
    requested_faults,
    save_requested_faults,
)
from pkigen.errors import InputError, Problem
from pkigen.faults import FaultRequest, parse_faults
from pkigen.model import Role
from pkigen.profile import Profile
from pkigen.profile.top_level import Negatives
from pkigen.store import Store


def break_certificate(
    folder: Path, name: str, faults: Sequence[Any], *, undo: bool = False, progress: Progress | None = None
) -> BuildResult:
    """Add a case NAME.FAULT for each fault, which later builds keep; with ``undo`` delete the cases.

    ``faults`` are ids, globs of FAMILY/ID, or ids with parameters, as in a profile. Raises InputError if the
    certificate or fault does not exist, if the fault cannot be applied to the certificate, and as ``renew``.
    """
    try:
        requested = [one for fault in faults for one in parse_faults(fault)]
    except ValueError as error:
        raise InputError(str(error)) from None
    profile = load_source_profile(folder)
    _check_not_enrolled(folder, name)
    if not undo:
        _check(profile, name, requested)
    with Store.open(folder, write=True) as store:
        existing = requested_faults(store)
        ids = {one.type.id for one in requested}
        remaining = [one for one in existing if one["of"] != name or fault_id(one["fault"]) not in ids]
        if undo and len(remaining) == len(existing):
            raise InputError(f"{name} has no case with the fault {', '.join(sorted(ids))}")
        added = [] if undo else [{"of": name, "fault": one.form} for one in requested]
        save_requested_faults(store, [*remaining, *added])
        cases = store.index.cases_with_fault(name, ids) if undo else frozenset()
    return build(profile, output_directory(folder, profile), BuildOptions(delete=cases), progress)


def _check_not_enrolled(folder: Path, name: str) -> None:
    with Store.open(folder, write=False) as store:
        if store.index.enrolled.get(f"{Role.CERTIFICATE}/{name}") is not None:
            raise InputError(
                f"a device requested {name}, which is not in the profile; for a faulty certificate with its "
                "key, use `pkigen sign ENV --csr FILE --fault ID`"
            )


def _check(profile: Profile, name: str, faults: Sequence[FaultRequest]) -> None:
    """Raise instead of skipping, because the user asked for these faults explicitly."""
    from pkigen.environment.build.session import clock_of, random_serial
    from pkigen.plan import plan

    specs = {spec.name: spec for spec in profile.certificates()}
    if name not in specs:
        hint = close_to(name, tuple(specs))
        raise InputError(Problem("the profile has no such certificate", name, None, hint))
    if specs[name].faults:
        raise InputError(f"{name} already has a fault; select a certificate without one")
    changed = copy.copy(profile)
    changed.negatives = (Negatives(of=name, faults=tuple(faults)),)
    for skipped in plan(changed, clock_of(BuildOptions()), random_serial).passed:
        raise InputError(f"cannot create {skipped.name}: {skipped.reason}")
