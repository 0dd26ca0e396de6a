"""``pkigen client``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._completion import complete_fault
from pkigen.cli._console import colorize, print_json, print_line, printable
from pkigen.cli._options import EnvironmentDirectory, Json
from pkigen.cli._progress import elapsed_time

if TYPE_CHECKING:
    from pkigen.client import ClientResult

HELP_ORDER = 185
_LABELS = {
    "failed": ("FAIL", "red"),
    "known": ("known", "yellow"),
    "open": ("open", "grey"),
    "passed": ("pass", "green"),
}


def client(
    env: EnvironmentDirectory,
    command: Annotated[
        str,
        typer.Argument(
            metavar="COMMAND", help="Shell command of the client, quoted; exit code 0 means accepted."
        ),
    ],
    only: Annotated[
        str, typer.Option("--only", metavar="GLOB", help="Run only cases whose name matches (default: all).")
    ] = "*",
    known: Annotated[
        list[str] | None,
        typer.Option(
            "--known",
            metavar="GLOB",
            help="Case or fault on which the client is known to differ: no failure; may be repeated.",
            autocompletion=complete_fault,
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="Time for each run of the command.")
    ] = 30,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", metavar="N", min=1, max=64, help="Commands at a time (default: one per CPU core)."
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit report to FILE.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", metavar="FILE", help="Also write a SARIF log to FILE.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--source",
            metavar="PATH",
            help="File that the results of the SARIF log refer to (default: manifest.json).",
        ),
    ] = None,
    all_: Annotated[
        bool,
        typer.Option("--all", help="Also list the cases that passed, and those on which validators differ."),
    ] = False,
    json: Json = False,
) -> None:
    """Run a client, and compare it with the verdicts.

    The command runs once for each certificate that a TLS server can present. It finds the case in variables:
    PKI_URL, PKI_HOST, PKI_PORT, PKI_ADDRESS (127.0.0.1, to which PKI_HOST must resolve), PKI_TRUST (file with
    the trust anchors) and PKI_CASE. The CRLs are served at the port of the environment's base URL. The exit
    code is 1 if the client accepts a certificate that it must reject, or the reverse.

    \b
    Example:
      pkigen client out/broken "sh client.sh" --junit client.xml
    """
    from pkigen import __version__
    from pkigen.client import run_client
    from pkigen.client.reports import as_json, as_junit, as_sarif
    from pkigen.environment.environment import open_environment

    environment = open_environment(env)
    with elapsed_time("running the client"):
        results = run_client(environment, command, only=only, known=known or (), timeout=timeout, jobs=jobs)
    if junit is not None:
        junit.write_text(as_junit(results, environment.name), "utf-8")
    if sarif is not None:
        log = as_sarif(results, source or str(environment.folder / "manifest.json"), __version__)
        sarif.write_text(json_format.dumps(log, indent=2), "utf-8")
    if json:
        print_json(as_json(results))
    else:
        _print(results, all_=all_)
    if any(one.outcome == "failed" for one in results):
        raise typer.Exit(1)


def _print(results: list[ClientResult], *, all_: bool) -> None:
    """Print the differences, failures first, and the result in words."""
    listed = [one for one in results if all_ or one.outcome in ("failed", "known")]
    for one in sorted(listed, key=lambda one: list(_LABELS).index(one.outcome)):
        label, color = _LABELS[one.outcome]
        text = one.says or f"the client must {one.expected} it, and does"
        print_line(f"{colorize(label.ljust(5), color)} {printable(f'{one.case.name}: {text}')}")
    counts = {label: sum(one.outcome == name for one in results) for name, (label, _) in _LABELS.items()}
    accepted = sum(one.expected == "accept" for one in results)
    if accepted == 0:
        print_line("No certificate of this run must be accepted: a client that rejects everything passes.")
    rest = "".join(f", {counts[label]} {label}" for label in ("known", "open") if counts[label])
    if counts["FAIL"]:
        print_line(f"The client is wrong about {counts['FAIL']} of {len(results)} certificates{rest}.")
    else:
        print_line(f"The client is right about {counts['pass']} of {len(results)} certificates{rest}.")
