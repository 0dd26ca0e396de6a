"""``pkigen renew``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._options import EnvironmentDirectory, Json, ReplaceRoot
from pkigen.cli._progress import meter

HELP_ORDER = 50


def renew(
    env: EnvironmentDirectory,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Names of certificates or CAs.")],
    replace_root: ReplaceRoot = False,
    json: Json = False,
) -> None:
    """Reissue certificates with their existing keys.

    Renewing a CA also reissues every certificate below it. A certificate that was revoked because of a
    compromise gets a new key.

    \b
    Example:
      pkigen renew out/defender-iot sensor-01 sensor-02
    """
    from pkigen.cli import _report
    from pkigen.environment.renew import renew as renew_certificates

    with meter() as progress:
        result = renew_certificates(env, names, progress, replace_root=replace_root)
    _report.print_build_result(result, as_json=json)
