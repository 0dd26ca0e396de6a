"""``pkigen renew``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pkigen.cli._completion import complete_certificate
from pkigen.cli._console import print_message
from pkigen.cli._options import EnvironmentDirectory, Json, ReplaceRoot, parse_period
from pkigen.cli._progress import meter

HELP_ORDER = 50


def renew(
    env: EnvironmentDirectory,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Names of certificates or CAs, or globs of certificates.",
            autocompletion=complete_certificate,
        ),
    ] = None,
    expiring: Annotated[
        str | None,
        typer.Option(
            "--expiring", metavar="PERIOD", help="Renew what has expired or expires within this period."
        ),
    ] = None,
    replace_root: ReplaceRoot = False,
    json: Json = False,
) -> None:
    """Reissue certificates with their existing keys.

    Renewing a CA also reissues every certificate below it. A certificate that was revoked because of a
    compromise gets a new key. Globs and --expiring skip certificates that only the device can renew.
    A fleet, or a certificate of one, selects whole shards; their certificates get new keys.

    \b
    Examples:
      pkigen renew out/defender-iot sensor-01 sensor-02
      pkigen renew out/defender-iot 'sensor-*'
      pkigen renew out/defender-iot --expiring 30d
    """
    from pkigen.cli import _report
    from pkigen.environment.renew import renew as renew_certificates

    selected, ending = list(names or ()), list[str]()
    if expiring is not None:
        ending = _expiring(env, expiring)
        if not selected and not ending and not json:
            print_message(f"Nothing expires within {expiring}.")
            return
    if not selected and expiring is None:
        raise typer.BadParameter("specify at least one, or --expiring PERIOD", param_hint="'NAME'")
    with meter() as progress:
        result = renew_certificates(env, selected, progress, expiring=ending, replace_root=replace_root)
    _report.print_build_result(result, as_json=json)


def _expiring(env: Path, period: str) -> list[str]:
    from datetime import UTC, datetime

    from pkigen.environment.environment import open_environment
    from pkigen.environment.status import expiring

    until = parse_period(period, datetime.now(UTC), "--expiring")
    return list(expiring(open_environment(env), until))
