"""``pkigen renew``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._options import EnvironmentDirectory, Json
from pkigen.cli._progress import meter


def renew(
    env: EnvironmentDirectory,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="Certificates or authorities.")],
    json: Json = False,
) -> None:
    """Issue some certificates anew, with the keys they have.

    What a renewed authority has issued follows it.

    \b
    Example:
      pkigen renew out/defender-iot sensor-01 sensor-02
    """
    from pkigen.cli import _report
    from pkigen.environment.renew import renew as issue_anew

    with meter() as progress:
        result = issue_anew(env, names, progress)
    _report.print_build_result(result, as_json=json)
