"""``pkigen validate``."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pkigen.cli._console import print_json, print_line, print_message
from pkigen.cli._options import Json, ProfileSource, load_profile
from pkigen.cli._progress import elapsed_time
from pkigen.cli._report import quantity
from pkigen.errors import InputError, Problem

if TYPE_CHECKING:
    from pkigen.plan import Plan
    from pkigen.profile import Profile

HELP_ORDER = 20


def validate(profile: ProfileSource, json: Json = False) -> None:
    """Report every error of a profile at once.

    Errors go to stderr, one per line, as FILE:LINE:COL: WHERE: MESSAGE; the exit code is then 2. Warnings
    begin with `Warning:` and do not change the exit code. This command writes no files.

    \b
    Example:
      pkigen validate defender-iot.yaml
    """
    try:
        with elapsed_time("validating"):
            loaded = load_profile(profile)
            planned = _plan_all(loaded)
    except InputError as error:
        if json:
            print_json({"valid": False, "problems": [_as_json(problem) for problem in error.problems]})
        raise
    authorities, certificates = len(loaded.authorities), loaded.count
    if json:
        counts = {"authorities": authorities, "certificates": certificates}
        counts |= {"in_fleets": sum(one.settings.count for one in loaded.fleets)} if loaded.fleets else {}
        warnings = [_as_json(warning) for warning in planned.warnings]
        print_json(
            {"valid": True, "environment": loaded.name, **counts, "problems": [], "warnings": warnings}
        )
    else:
        for warning in planned.warnings:
            print_message(f"Warning: {warning}")
        sizes = [quantity(authorities, "authority", "authorities"), quantity(certificates, "certificate")]
        sizes += [f"fleet {one.name} of {one.settings.count:,}" for one in loaded.fleets]
        print_line(f"{loaded.name} is valid: {', '.join(sizes)}")


def _plan_all(profile: Profile) -> Plan:
    """Plan every certificate, because some errors appear only then."""
    from pkigen.plan import plan
    from pkigen.plan.compliance import obey

    planned = plan(profile, datetime.now(UTC), serials=None)
    deque(planned.certificates(), maxlen=0)
    obey(profile, planned.clock, planned.authorities, planned.certificates(), planned.fleets)
    return planned


def _as_json(problem: Problem) -> dict[str, str | int | None]:
    place = problem.location
    return {
        "file": place.file if place else None,
        "line": (place.line or None) if place else None,
        "column": (place.column or None) if place else None,
        "where": problem.where or None,
        "message": problem.message,
        "suggestion": problem.suggestion,
    }
