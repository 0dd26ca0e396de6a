"""``pkigen break``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pkigen.cli._options import EnvironmentDirectory, Json
from pkigen.cli._progress import meter
from pkigen.errors import InputError


def break_(
    env: EnvironmentDirectory,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A certificate of the profile.")],
    faults: Annotated[
        list[str],
        typer.Option(
            "--fault",
            metavar="ID",
            help="What is to be wrong: ID, ID:NAME=VALUE, FAMILY/*. `pkigen faults` lists them.",
        ),
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Do not keep these broken copies any more.")] = False,
    json: Json = False,
) -> None:
    """Add broken copies of a certificate, one for each fault.

    The copy is NAME.FAULT, with all that belongs to it; the sound certificate stays as it is. Later
    builds keep the copy.

    \b
    Examples:
      pkigen break out/defender-iot sensor-01 --fault expired
      pkigen break out/defender-iot sensor-01 --fault expired:by=1s
    """
    from pkigen.cli import _report
    from pkigen.environment.break_certificate import break_certificate

    with meter() as progress:
        asked = [_asked(text) for text in faults]
        result = break_certificate(env, name, asked, undo=undo, progress=progress)
    _report.print_build_result(result, as_json=json)


def _asked(text: str) -> Any:
    """``ID:NAME=VALUE,NAME=VALUE`` as a profile has it."""
    fault, colon, arguments = text.partition(":")
    if not colon:
        return fault
    pairs = [part.partition("=") for part in arguments.split(",")]
    if not all(equals for _, equals, _ in pairs):
        raise InputError(f"--fault {text}: parameters are written ID:NAME=VALUE")
    return {fault: {name: value for name, _, value in pairs}}
