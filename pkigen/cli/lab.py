"""``pkigen lab``: runs the demo environment of simulated appliances."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli import _lab
from pkigen.cli._console import (
    colorize,
    print_json,
    print_line,
    print_message,
    wrap,
)
from pkigen.cli._environments import OUT
from pkigen.cli._options import Json, ProfileSource

if TYPE_CHECKING:
    from pkigen.lab.appliance.upload import Upload

lab = typer.Typer(
    name="lab",
    help="Run simulated appliances that use the certificates.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


Appliance = Annotated[str, typer.Argument(metavar="APPLIANCE", help="Name of the appliance in the profile.")]
Env = Annotated[
    str | None,
    typer.Option("--env", metavar="ENV", help="Environment of the lab (default: the only running lab)."),
]

HELP_ORDER = 220


@lab.command("up")
def up(
    profile: ProfileSource,
    out: _lab.Out = OUT,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="IP address to listen on (default: 127.0.0.1).")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Port of the management console; the other appliances use the next ports (0: free ports).",
        ),
    ] = 8443,
    detach: Annotated[
        bool, typer.Option("--detach", help="Run the lab in the background and return when it is ready.")
    ] = False,
    fresh: Annotated[
        bool,
        typer.Option(
            "--fresh",
            help="Discard the state of earlier runs (see `pkigen lab reset`) and let the build replace "
            "roots, e.g. pkigen lab up demo --fresh.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Start simulated appliances that use the certificates of a profile.

    The profile's lab section defines the appliances. The command first builds the environment below --out,
    or updates it. Open the printed URL of the management console in a browser and sign in with the printed
    user name and password. The lab keeps its state between runs, also its clock. Ctrl-C or SIGTERM stops it.

    \b
    Examples:
      pkigen lab up demo
      pkigen lab up demo --detach
      pkigen lab up demo --fresh
      pkigen lab up lab.yaml --port 0 --json
    """
    from pkigen.cli._lab_up import run_in_foreground, start_detached

    if not detach:
        run_in_foreground(profile, out, host, port, fresh=fresh, json=json)
        return
    status_ = start_detached(profile, out, host, port, fresh=fresh)
    if json:
        print_json(status_)
    else:
        print_line("\n".join(_lab.format_status(status_)))


@lab.command("status")
def status(env: _lab.Lab = None, out: _lab.Out = OUT, json: Json = False) -> None:
    """Show a running lab: URLs, password and connections.

    Exit code 1 if no lab is running.

    \b
    Examples:
      pkigen lab status
      pkigen lab status out/demo --json
    """
    status_ = _lab.select_lab(env, out).status()
    if json:
        print_json(status_)
        return
    print_line("\n".join((*_lab.format_status(status_), "", *_lab.format_connections(status_))))


@lab.command("down")
def down(env: _lab.Lab = None, out: _lab.Out = OUT) -> None:
    """Stop a running lab, and wait until its process has exited.

    \b
    Examples:
      pkigen lab down
      pkigen lab down out/demo
    """
    from pkigen.cli._lab_up import stop_lab

    running = _lab.select_lab(env, out)
    stop_lab(running)
    print_message(f"The lab of {running.folder} has stopped.")


@lab.command("reset")
def reset(env: _lab.Lab = None, out: _lab.Out = OUT) -> None:
    """Discard the saved state of a lab that is not running.

    Deletes the lab's clock, password, uploaded certificates and queued alerts. The environment and its
    revocations stay.

    \b
    Examples:
      pkigen lab reset
      pkigen lab reset out/demo
    """
    environment = _lab.select_saved_lab(env, out)
    from pkigen.lab.state import reset as reset_state

    reset_state(environment)
    print_message(f"The lab of {environment} starts with the machine's time and without uploads.")


@lab.command("import")
def import_(
    appliance: Appliance,
    crt: Annotated[Path, typer.Option("--crt", metavar="PATH", help="Certificate file (suffix .crt).")],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Private key file of the certificate.")],
    chain: Annotated[
        Path | None, typer.Option("--chain", metavar="PATH", help="CA chain file (PEM).")
    ] = None,
    pass_: Annotated[
        str | None,
        typer.Option(
            "--pass",
            metavar="PASSPHRASE",
            help="Passphrase of the key. Other users of this machine can see it.",
        ),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file", metavar="FILE", help="File whose first line is the passphrase of the key."
        ),
    ] = None,
    env: Env = None,
    out: _lab.Out = OUT,
    json: Json = False,
) -> None:
    """Upload a certificate to an appliance of a running lab.

    Corresponds to cyberx-xsense-certificate-import on a sensor. Exit code 1 if the appliance refuses the
    certificate.

    \b
    Examples:
      pkigen lab import sensor-03 --crt new.crt --key new.key --chain chain.pem
    """
    if crt.suffix != ".crt":
        raise typer.BadParameter(f"'{crt.name}' does not end in .crt", param_hint="'--crt'")
    if pass_ is not None and passphrase_file is not None:
        raise typer.BadParameter("cannot be combined with --pass", param_hint="'--passphrase-file'")
    result = _lab.select_lab(env, out).upload(appliance, _upload(crt, key, chain, pass_, passphrase_file))
    if json:
        print_json(result)
    elif result["accepted"]:
        print_line(
            colorize("Accepted.", "green") + f" {appliance} presents the certificate on new connections."
        )
        for words in result["unsupported"]:
            print_line(wrap(f"Not supported: {words}", 2))
        for words in result["notes"]:
            print_line(wrap(words, 2))
    else:
        print_line(colorize("Refused.", "red") + " The previous certificate stays in use.")
        for message in result["messages"]:
            print_line(wrap(message["message"], 2))
            for words in message["found"]:
                print_line(wrap(f"  {words}", 2))
            print_line(wrap(f"  What to do: {message['advice']}", 2))
    if not result["accepted"]:
        raise typer.Exit(1)


@lab.command("token")
def token(
    appliance: Appliance,
    env: Env = None,
    out: _lab.Out = OUT,
    json: Json = False,
) -> None:
    """Create a token for the REST API of an appliance, and print it.

    Send the token in the Authorization header. The previous token becomes invalid.

    \b
    Examples:
      pkigen lab token sensor-01
      TOKEN=$(pkigen lab token management-console)
      curl -k -H "Authorization: $TOKEN" https://127.0.0.1:8443/external/alerts
    """
    new_token = _lab.select_lab(env, out).new_token(appliance)
    if json:
        print_json({"token": new_token})
    else:
        print_line(new_token)


@lab.command("run")
def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCENARIO...", help="Scenario files, or names of shipped scenarios."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the shipped scenarios.")] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit report to FILE.")
    ] = None,
    pace: Annotated[
        float,
        typer.Option(
            "--pace",
            metavar="SECONDS",
            min=0,
            max=600,
            help="Pause between two steps, to watch the scenario in a browser (default: 0).",
        ),
    ] = 0.0,
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            min=0,
            max=65535,
            help="Port of the management console, as for `lab up` (default: 0, free ports).",
        ),
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="Directory for the environments, which are kept (default: temporary).",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run scenarios: sequences of actions and expected results.

    Each scenario runs in a new lab on free ports, which is deleted afterwards. Exit code 1 if a step fails.
    docs/lab.md describes the format of a scenario.

    \b
    Examples:
      pkigen lab run --list
      pkigen lab run revoked-sensor --pace 3
      pkigen lab run first-deployment wrong-chain --junit report.xml
    """
    if list_:
        _list(json)
        return
    if not scenarios:
        raise typer.BadParameter("no scenario given; see --list", param_hint="'SCENARIO...'")
    from pkigen.cli import _lab_run

    played = _lab_run.run_all(_lab_run.read_scenarios(scenarios), out, port, pace, quiet=json)
    if junit is not None:
        _lab_run.write_junit(junit, played)
    if json:
        print_json(_lab_run.as_json(played))
    else:
        print_line(_lab_run.format_summary(played))
    if any(one.result != "passed" for _, steps in played for one in steps):
        raise typer.Exit(1)


def _list(json: bool) -> None:
    from pkigen.lab.scenario.scenario import names, path_of, read_scenario

    titles = {name: read_scenario(path_of(name)).title for name in names()}
    if json:
        print_json([{"name": name, "title": title} for name, title in titles.items()])
        return
    for name, title in titles.items():
        print_line(f"{name:20}{title}")


def _upload(
    crt: Path, key: Path, chain: Path | None, pass_: str | None, passphrase_file: Path | None
) -> Upload:
    from pkigen.errors import InputError
    from pkigen.files import read_file
    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.lab.appliance.upload import MAX_FILE_BYTES, File, Upload

    def file(path: Path) -> File:
        try:
            return File(path.name, read_file(path, MAX_FILE_BYTES))
        except ValueError as error:
            raise InputError(str(error)) from error

    passphrase = pass_.encode("utf-8", "surrogateescape") if pass_ else None
    if passphrase_file is not None:
        passphrase = read_passphrase(passphrase_file)
    return Upload(crt.stem, file(crt), file(key), None if chain is None else file(chain), passphrase)
