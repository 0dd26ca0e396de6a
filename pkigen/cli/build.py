"""``pkigen build``."""

from __future__ import annotations

import gc
from pathlib import Path

from pkigen.cli._options import (
    At,
    Jobs,
    Json,
    Keys,
    Only,
    Out,
    ProfileSource,
    Prune,
    Rekey,
    Seed,
    load_profile,
    parse_time,
)
from pkigen.cli._progress import meter

_COLLECT_AFTER = 50_000


def build(
    profile: ProfileSource,
    out: Out = Path("out"),
    only: Only = None,
    at: At = None,
    jobs: Jobs = None,
    rekey: Rekey = False,
    prune: Prune = False,
    seed: Seed = None,
    keys: Keys = "fresh",
    json: Json = False,
) -> None:
    """Build the environment of a profile, or bring it up to date.

    What has not changed stays as it is, and what is issued anew is told with the reason. An
    interrupted build leaves every certificate whole; the next one completes it.

    \b
    Examples:
      pkigen build defender-iot
      pkigen build contoso.yaml --only 'sensor-*' --rekey
      pkigen build contoso.yaml --seed fixtures --at 2026-01-01
    """
    from pkigen.cli import _report
    from pkigen.environment.build.build import build as bring_up_to_date
    from pkigen.environment.build.options import BuildOptions

    options = BuildOptions(
        only=only, at=parse_time(at), jobs=jobs, rekey=rekey, prune=prune, seed=seed, keys=keys
    )
    loaded = load_profile(profile)
    # A build makes few cycles and ends soon: looking for them would take a tenth of a fleet's time.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    with meter() as progress:
        result = bring_up_to_date(loaded, out, options, progress)
    _report.note_unmatched(result.summary, only, loaded.count)
    _report.print_build_result(result, as_json=json)
