"""``pkigen build``."""

from __future__ import annotations

import gc

from pkigen.cli._options import (
    OUT,
    At,
    Force,
    Jobs,
    Json,
    Keys,
    Only,
    Out,
    ProfileSource,
    Prune,
    Rekey,
    ReplaceRoot,
    Seed,
    Verify,
    load_profile,
    parse_time,
)
from pkigen.cli._progress import meter

HELP_ORDER = 40
_GC_THRESHOLD = 50_000


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
    from pkigen.environment.build.build import build as build_environment
    from pkigen.environment.build.options import BuildOptions

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
    )
    loaded = load_profile(profile)
    # A build creates few reference cycles and exits soon; collecting them would take 10 % of the time that a
    # large fleet needs.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    with meter() as progress:
        result = build_environment(loaded, out, options, progress)
    _report.print_build_result(result, as_json=json)
