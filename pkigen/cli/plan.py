"""``pkigen plan``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._environments import OUT
from pkigen.cli._options import (
    At,
    Force,
    Json,
    Keys,
    Only,
    Out,
    ProfileSource,
    Prune,
    Rekey,
    ReplaceRoot,
    Seed,
    load_profile,
    parse_time,
)

HELP_ORDER = 30


def plan(
    profile: ProfileSource,
    out: Out = OUT,
    only: Only = None,
    at: At = None,
    rekey: Rekey = False,
    prune: Prune = False,
    replace_root: ReplaceRoot = False,
    force: Force = False,
    seed: Seed = None,
    keys: Keys = "fresh",
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if a build would change anything.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what a build would change, and why.

    Use the same options as for the build. This command writes nothing.

    \b
    Example:
      pkigen plan defender-iot.yaml --prune
    """
    from pkigen.cli import _report
    from pkigen.environment.build.dry_run import preview
    from pkigen.environment.build.options import BuildOptions

    options = BuildOptions(
        only=only,
        at=parse_time(at),
        rekey=rekey,
        prune=prune,
        seed=seed,
        keys=keys,
        replace_root=replace_root,
        force=force,
    )
    loaded = load_profile(profile)
    summary = preview(loaded, out, options)
    if json:
        _report.print_summary_json(summary, environment=loaded.name, folder=str(out / loaded.name))
    else:
        _report.print_preview(summary, loaded.name)
    if exit_code and not summary.up_to_date:
        raise typer.Exit(1)
