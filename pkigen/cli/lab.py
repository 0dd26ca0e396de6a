"""``pkigen lab``: the commands of the demo environment."""

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
from pkigen.cli._options import Json, ProfileSource

if TYPE_CHECKING:
    from pkigen.lab.appliance.upload import Upload

lab = typer.Typer(
    name="lab",
    help="The demo environment: appliances that take a certificate.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


Appliance = Annotated[str, typer.Argument(metavar="APPLIANCE", help="An appliance's name in the profile.")]
Env = Annotated[str | None, typer.Option("--env", metavar="ENV", help="The lab, if more than one is up.")]

HELP_ORDER = 220


@lab.command("up")
def up(
    profile: ProfileSource,
    out: _lab.Out = Path("out"),
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="The address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            min=0,
            max=65535,
            help="The management console's port, and the first of the others'; 0 is any free ones.",
        ),
    ] = 8443,
    detach: Annotated[
        bool, typer.Option("--detach", help="Come back once it is up, and let it run.")
    ] = False,
    json: Json = False,
) -> None:
    """Bring up simulated appliances around a profile's certificates.

    The profile's section lab says which there are. What it describes is built below --out first, or
    brought up to date. Open the management console's URL in a browser: name and password are printed.
    What was done in a lab is there again the next time. Ctrl-C or SIGTERM ends it.

    \b
    Examples:
      pkigen lab up demo
      pkigen lab up demo --detach
      pkigen lab up lab.yaml --port 0 --json
    """
    from pkigen.cli._lab_up import run_in_foreground, start_detached

    if not detach:
        run_in_foreground(profile, out, host, port, json=json)
        return
    told = start_detached(profile, out, host, port)
    if json:
        print_json(told)
    else:
        print_line("\n".join(_lab.format_status(told)))


@lab.command("status")
def status(env: _lab.Lab = None, out: _lab.Out = Path("out"), json: Json = False) -> None:
    """Show a lab that is up: URLs, password, connections.

    Exit code 1 when none is up.

    \b
    Examples:
      pkigen lab status
      pkigen lab status out/demo --json
    """
    told = _lab.select_lab(env, out).status()
    if json:
        print_json(told)
        return
    print_line("\n".join((*_lab.format_status(told), "", *_lab.format_connections(told))))


@lab.command("down")
def down(env: _lab.Lab = None, out: _lab.Out = Path("out")) -> None:
    """End a lab that is up, and wait until nothing of it runs.

    \b
    Examples:
      pkigen lab down
      pkigen lab down out/demo
    """
    from pkigen.cli._lab_up import stop_lab

    found = _lab.select_lab(env, out)
    stop_lab(found)
    print_message(f"The lab of {found.folder} is down.")


@lab.command("import")
def import_(
    appliance: Appliance,
    crt: Annotated[Path, typer.Option("--crt", metavar="PATH", help="The certificate; a .crt file.")],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="Its private key.")],
    chain: Annotated[Path | None, typer.Option("--chain", metavar="PATH", help="The CAs above it.")] = None,
    pass_: Annotated[
        str | None,
        typer.Option("--pass", metavar="PASSPHRASE", help="The key's passphrase; others can see it here."),
    ] = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option("--passphrase-file", metavar="FILE", help="It stands on this file's first line."),
    ] = None,
    env: Env = None,
    out: _lab.Out = Path("out"),
    json: Json = False,
) -> None:
    """Upload a certificate to an appliance of a lab that is up.

    As cyberx-xsense-certificate-import does it on a sensor. Exit code 1 when the appliance refuses it.

    \b
    Examples:
      pkigen lab import sensor-03 --crt new.crt --key new.key --chain chain.pem
    """
    if crt.suffix != ".crt":
        raise typer.BadParameter(f"'{crt.name}' does not end in .crt", param_hint="'--crt'")
    if pass_ is not None and passphrase_file is not None:
        raise typer.BadParameter(
            "a key has one passphrase; --pass says it too", param_hint="'--passphrase-file'"
        )
    found = _lab.select_lab(env, out).upload(appliance, _upload(crt, key, chain, pass_, passphrase_file))
    if json:
        print_json(found)
    elif found["accepted"]:
        print_line(colorize("Accepted.", "green") + f" {appliance} presents it from the next connection on.")
        for words in found["unsupported"]:
            print_line(wrap(f"Not supported: {words}", 2))
        for words in found["notes"]:
            print_line(wrap(words, 2))
    else:
        print_line(colorize("Refused.", "red") + " What was in use stays in use.")
        for message in found["messages"]:
            print_line(wrap(message["message"], 2))
            for words in message["found"]:
                print_line(wrap(f"  {words}", 2))
            print_line(wrap(f"  What to do: {message['advice']}", 2))
    if not found["accepted"]:
        raise typer.Exit(1)


@lab.command("token")
def token(
    appliance: Appliance,
    env: Env = None,
    out: _lab.Out = Path("out"),
    json: Json = False,
) -> None:
    """Make a token for an appliance's REST API, and print it.

    It goes into the header Authorization. The token before it is not valid any more.

    \b
    Examples:
      pkigen lab token sensor-01
      TOKEN=$(pkigen lab token management-console)
      curl -k -H "Authorization: $TOKEN" https://127.0.0.1:8443/external/alerts
    """
    made = _lab.select_lab(env, out).new_token(appliance)
    if json:
        print_json({"token": made})
    else:
        print_line(made)


@lab.command("run")
def run(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(metavar="SCENARIO...", help="Paths, or names of those that come with pkigen."),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name those that come with pkigen.")] = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report as well.")
    ] = None,
    pace: Annotated[
        float,
        typer.Option(
            "--pace",
            metavar="SECONDS",
            min=0,
            max=600,
            help="A pause before each step, for those who watch it in a browser.",
        ),
    ] = 0.0,
    port: Annotated[
        int,
        typer.Option("--port", metavar="PORT", min=0, max=65535, help="As of lab up; 0 is any free ones."),
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="Build the labs below it, and leave them there."),
    ] = None,
    json: Json = False,
) -> None:
    """Play scenarios: stories with what is to be seen at each step.

    Each is played in a new lab of its own, at free ports, that is gone afterwards. Exit code 1 when
    something is seen that is otherwise than told. docs/lab.md says how to write one.

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
        raise typer.BadParameter("name a scenario; --list shows them", param_hint="'SCENARIO...'")
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
