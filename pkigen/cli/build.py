"""``pkigen build``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkigen.cli._environments import OUT
from pkigen.cli._garbage import collect_garbage_rarely
from pkigen.cli._options import (
    At,
    Force,
    InsecureScheduler,
    Jobs,
    Json,
    Keys,
    Only,
    Out,
    ProfileSource,
    Prune,
    Rekey,
    ReplaceRoot,
    Scheduler,
    Seed,
    ShardsTo,
    Verify,
    parse_time,
    profile_path,
)
from pkigen.cli._progress import Meter, meter

if TYPE_CHECKING:
    from pathlib import Path

    from pkigen.environment.build.options import BuildOptions, BuildResult

HELP_ORDER = 40


def build(
    profile: ProfileSource,
    out: Out = OUT,
    only: Only = None,
    at: At = None,
    jobs: Jobs = None,
    rekey: Rekey = False,
    prune: Prune = False,
    replace_root: ReplaceRoot = False,
    force: Force = False,
    seed: Seed = None,
    keys: Keys = "fresh",
    verify: Verify = False,
    scheduler: Scheduler = "",
    insecure_scheduler: InsecureScheduler = False,
    shards_to: ShardsTo = "",
    json: Json = False,
) -> None:
    """Build or update the environment of a profile.

    Keep unchanged certificates, and print the reason for each certificate that is reissued. An interrupted
    build leaves the files of every certificate consistent; the next build completes it. A build that would
    replace a root, or the authorities of another profile with the same name, exits with 2 and changes
    nothing, unless --replace-root or --force permits it.

    \b
    Examples:
      pkigen build defender-iot
      pkigen build contoso.yaml --only 'sensor-*' --rekey
      pkigen build contoso.yaml --rekey --replace-root
      pkigen build contoso.yaml --seed fixtures --at 2026-01-01
    """
    from pkigen.cli import _report
    from pkigen.environment.build.options import Action, BuildOptions
    from pkigen.environment.build.up_to_date import recall

    options = BuildOptions(
        only=only,
        at=parse_time(at),
        jobs=jobs,
        rekey=rekey,
        prune=prune,
        seed=seed,
        keys=keys,
        replace_root=replace_root,
        force=force,
        verify=verify,
        scheduler=scheduler,
        insecure_scheduler=insecure_scheduler,
        destination=shards_to,
    )
    source = profile_path(profile)
    with meter() as progress:
        result = recall(source, out, options)
        if result is None:
            result = _build(source, out, options, progress)
        else:
            unchanged = result.summary.counts[Action.KEEP]
            progress.start(unchanged, "certificates")
            progress.advance(unchanged)
    _report.print_build_result(result, as_json=json)


def _build(source: Path, out: Path, options: BuildOptions, progress: Meter) -> BuildResult:
    from pkigen.environment.build.build import build as build_environment
    from pkigen.files import recorded_reads
    from pkigen.profile import load

    with recorded_reads():
        loaded = load(source)
        collect_garbage_rarely()
        return build_environment(loaded, out, options, progress)
