"""``pkigen break``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pkigen.cli._completion import complete_certificate, complete_fault
from pkigen.cli._options import EnvironmentDirectory, Json
from pkigen.cli._progress import meter
from pkigen.errors import InputError

HELP_ORDER = 90


def break_(
    env: EnvironmentDirectory,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of a certificate of the profile.", autocompletion=complete_certificate
        ),
    ],
    faults: Annotated[
        list[str] | None,
        typer.Option(
            "--fault",
            metavar="ID",
            help="Fault to apply: ID, ID:PARAMETER=VALUE, FAMILY/*, or ID+ID for one copy with both; can be "
            "repeated. `pkigen faults` lists them.",
            autocompletion=complete_fault,
        ),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(
            "--random",
            metavar="N",
            min=1,
            max=20,
            help="Add one copy with N faults that fit together, chosen at random.",
        ),
    ] = None,
    seed: Annotated[
        str | None,
        typer.Option("--seed", metavar="TEXT", help="Choose the faults of --random from TEXT (default: 1)."),
    ] = None,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo",
            help="Remove these faulty copies and delete their files, e.g. --fault expired --undo.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Add faulty copies of a certificate, one for each fault.

    The copy is the certificate NAME.FAULT with its own files, CRLs and OCSP responses; NAME does not change.
    Later builds keep the copy.

    \b
    Examples:
      pkigen break out/defender-iot sensor-01 --fault expired
      pkigen break out/defender-iot sensor-01 --fault expired:by=1s
      pkigen break out/defender-iot sensor-01 --fault expired --undo
      pkigen break out/defender-iot sensor-01 --fault expired+san-wrong-host
      pkigen break out/defender-iot sensor-01 --random 3 --seed 7
    """
    from pkigen.cli import _report
    from pkigen.environment.break_certificate import break_certificate, random_combination

    with meter() as progress:
        requests = [_fault_or_several(text) for text in faults or ()]
        if random is not None:
            requests.append(random_combination(env, name, random, seed or "1"))
        if not requests:
            raise typer.BadParameter("specify a fault, or --random", param_hint="'--fault'")
        result = break_certificate(env, name, requests, undo=undo, progress=progress)
    _report.print_build_result(result, as_json=json)


def _fault_or_several(text: str) -> Any:
    """Convert ``ID+ID`` to a list, of which one copy has all faults."""
    parts = [fault_request(part) for part in text.split("+")]
    return parts if len(parts) > 1 else parts[0]


def fault_request(text: str) -> Any:
    """Convert ``ID:NAME=VALUE,NAME=VALUE`` to the form that a profile uses, ``{ID: {NAME: VALUE}}``."""
    fault, colon, arguments = text.partition(":")
    if not colon:
        return fault
    pairs = [part.partition("=") for part in arguments.split(",")]
    if not all(equals for _, equals, _ in pairs):
        raise InputError(f"--fault {text}: invalid parameter; use ID:NAME=VALUE,NAME=VALUE")
    return {fault: {name: value for name, _, value in pairs}}
