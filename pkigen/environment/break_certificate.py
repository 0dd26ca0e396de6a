"""Adds faulty copies of certificates to a built environment, in addition to those in its profile."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from random import Random
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

    ``faults`` are ids, globs of FAMILY/ID, or ids with parameters, as in a profile; a list of them gives one
    case with all of them. Raises InputError if the certificate or fault does not exist, if the fault cannot
    be applied to the certificate, and as ``renew``.
    """
    requested = [group for fault in faults for group in _parsed(fault)]
    profile = load_source_profile(folder)
    _check_not_enrolled(folder, name)
    if not undo:
        _check(profile, name, requested)
    with Store.open(folder, write=True) as store:
        existing = requested_faults(store)
        ids = {"+".join(one.type.id for one in group) for group in requested}
        remaining = [one for one in existing if one["of"] != name or fault_id(one["fault"]) not in ids]
        if undo and len(remaining) == len(existing):
            raise InputError(
                f"{name} has no case with the fault {', '.join(sorted(ids))} from `pkigen break`; "
                "to remove a case of its negatives, edit the profile"
            )
        forms = [[one.form for one in group] for group in requested]
        added = [{"of": name, "fault": form[0] if len(form) == 1 else form} for form in forms]
        save_requested_faults(store, remaining if undo else [*remaining, *added])
        cases = store.index.cases_with_fault(name, ids) if undo else frozenset()
    return build(profile, output_directory(folder, profile), BuildOptions(delete=cases), progress)


def random_combination(folder: Path, name: str, count: int, seed: str) -> list[str]:
    """Return the ids of ``count`` faults that fit together on a certificate, chosen at random from a seed.

    Raises InputError if the certificate does not exist, or if so many faults do not fit together.
    """
    from pkigen.environment.build.session import clock_of
    from pkigen.plan.random_faults import planned_case, random_faults

    case = planned_case(load_source_profile(folder), name, clock_of(BuildOptions()))
    chosen = random_faults(case, count, Random(seed))  # noqa: S311  # not for secrets
    return [one.type.id for one in chosen]


def _parsed(fault: Any) -> list[tuple[FaultRequest, ...]]:
    """Return the groups of faults of one request: a list is one group, a glob many."""
    try:
        if isinstance(fault, list):
            return [tuple(one for part in fault for one in parse_faults(part))]
        return [(one,) for one in parse_faults(fault)]
    except ValueError as error:
        raise InputError(str(error)) from None


def _check_not_enrolled(folder: Path, name: str) -> None:
    with Store.open(folder, write=False) as store:
        if store.index.enrolled.get(f"{Role.CERTIFICATE}/{name}") is not None:
            raise InputError(
                f"a device requested {name}, which is not in the profile; for a faulty certificate with its "
                "key, use `pkigen sign ENV --csr FILE --fault ID`"
            )


def _check(profile: Profile, name: str, groups: Sequence[tuple[FaultRequest, ...]]) -> None:
    """Raise instead of skipping, because the user asked for these faults explicitly."""
    from pkigen.environment.build.session import clock_of, random_serial
    from pkigen.plan import plan

    specs = {spec.name: spec for spec in profile.certificates()}
    if name not in specs:
        if name in (spec.name for spec in profile.authorities):
            raise InputError(
                f"{name} is an authority; break a certificate that it issued with a fault of a CA, such as "
                "expired-intermediate"
            )
        hint = close_to(name, tuple(specs))
        raise InputError(Problem("the profile has no such certificate", name, None, hint))
    if specs[name].faults:
        raise InputError(f"{name} already has a fault; select a certificate without one")
    changed = copy.copy(profile)
    changed.negatives = tuple(Negatives(of=name, faults=group, combine=True) for group in groups)
    for skipped in plan(changed, clock_of(BuildOptions()), random_serial).passed:
        raise InputError(f"cannot create {skipped.name}: {skipped.reason}")
