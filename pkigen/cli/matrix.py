"""``pkigen matrix``."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._console import print_json, print_message
from pkigen.cli._environments import find_environment
from pkigen.cli._options import Json, require_choice
from pkigen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkigen.environment.environment import Environment
    from pkigen.matrix import Column, Known, Matrix, Subject, Validator

_REFERENCE = "negative"
"""The environment that observed.yaml and known.yaml are recorded from."""

HELP_ORDER = 160


def matrix(
    env: Annotated[
        Path | None,
        typer.Argument(
            metavar="ENV",
            help="Built environment: its directory or name; or an x509-limbo file.",
            callback=find_environment,
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            "--only",
            metavar="GLOB",
            help="Check only cases whose name matches, e.g. '*.expired*' (default: all).",
        ),
    ] = None,
    validators: Annotated[
        str | None,
        typer.Option("--validators", metavar="A,B", help="Validators to run; see --list (default: all)."),
    ] = None,
    list_: Annotated[
        bool,
        typer.Option(
            "--list", help="List the validators, their versions, and how to install the missing ones."
        ),
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Print the error of each rejection, also for many cases.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Also write a self-contained HTML page to FILE."),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Also write a JUnit report to FILE.")
    ] = None,
    fuzz: Annotated[
        int | None,
        typer.Option(
            "--fuzz",
            metavar="N",
            min=1,
            help="Instead of an environment, check N random combinations of faults, and print the smallest "
            "combination for each pattern of differing verdicts.",
        ),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", metavar="TEXT", help="Choose the combinations of --fuzz from TEXT.")
    ] = "1",
    json: Json = False,
) -> None:
    """Compare expected verdicts with independent validators.

    Runs every case of a built environment through every validator that is installed on this machine, and
    serves the environment meanwhile for validators that download CRLs and OCSP responses. The exit code is 1
    if a verdict differs without a recorded reason, or if a recorded difference no longer occurs.

    Instead of an environment, a file in the format of x509-limbo (version 1) can be given.

    \b
    Examples:
      pkigen matrix --list
      pkigen matrix out/negative --html matrix.html
      pkigen matrix out/negative --only '*.san-*' --validators openssl,go
      pkigen matrix --fuzz 50 --seed 7 --validators openssl,gnutls,go
    """
    from pkigen.cli._matrix import print_list, print_matrix
    from pkigen.matrix import VALIDATORS, reports

    chosen = _chosen(validators, VALIDATORS)
    if list_:
        print_list(chosen, as_json=json)
        return
    if fuzz is not None:
        from pkigen.cli._fuzz import print_differences

        print_differences(_columns(chosen)[0], fuzz, seed, as_json=json)
        return
    if env is None:
        raise typer.BadParameter("specify the directory of a built environment", param_hint="'ENV'")
    columns, missing = _columns(chosen)
    for one in missing:
        print_message(f"{one.name} is not installed and was skipped: install {one.comes_with}.")
    if not columns:
        raise InputError(
            "none of these validators is installed; `pkigen matrix --list` prints what to install"
        )
    title, clock, result = _verdicts(env, only, columns)
    report = reports.as_json(result, title, clock, missing)
    for path, text in ((html, reports.html), (junit, lambda _: reports.junit(result))):
        if path is not None:
            path.write_text(text(report), encoding="utf-8")
            print_message(f"Wrote {path}.")
    print_json(report) if json else print_matrix(result, words=words)
    if not result.is_as_expected:
        raise typer.Exit(1)


def _chosen(names: str | None, known: Sequence[Validator]) -> list[Validator]:
    if names is None:
        return list(known)
    titles = [one.name for one in known]
    requested = [require_choice(name.strip(), titles, "--validators") for name in names.split(",")]
    return [one for one in known if one.name in requested]


def _columns(chosen: Sequence[Validator]) -> tuple[list[Column], list[Validator]]:
    """Return the columns of the installed validators, and the missing validators."""
    from pkigen.faults.observed import recorded_version
    from pkigen.matrix import Column

    versions = [(one, one.version()) for one in chosen]
    columns = [
        Column(one, version, recorded_version(one.name, version)) for one, version in versions if version
    ]
    return columns, [one for one, version in versions if version is None]


def _verdicts(env: Path, only: str | None, columns: Sequence[Column]) -> tuple[str, str, Matrix]:
    """Return the name and the clock of the environment, and the verdicts about its cases."""
    from pkigen.environment.environment import open_environment
    from pkigen.matrix import known_differences, subjects_of

    if env.is_file():
        return _limbo_verdicts(env, only, columns)
    environment = open_environment(env)
    with _served(environment, columns) as (proxy, tls):
        subjects = _matching(subjects_of(environment, proxy, tls), only)
        complete = environment.name == _REFERENCE
        result = _surveyed(subjects, columns, known_differences(), complete=complete)
    return environment.name, environment.manifest["clock"], result


def _limbo_verdicts(file: Path, only: str | None, columns: Sequence[Column]) -> tuple[str, str, Matrix]:
    from tempfile import TemporaryDirectory

    from pkigen.matrix import known_limbo_differences, subjects_of_limbo

    with TemporaryDirectory(prefix="pkigen-") as directory:
        subjects, skipped = subjects_of_limbo(file, Path(directory))
        if skipped:
            print_message(f"Skipped {skipped:,} cases that are not servers with a DNS name or an IP address.")
        result = _surveyed(_matching(subjects, only), columns, known_limbo_differences(), complete=False)
    return file.name, "the times of its cases", result


def _surveyed(
    subjects: Sequence[Subject], columns: Sequence[Column], known: Sequence[Known], *, complete: bool
) -> Matrix:
    from pkigen.cli._progress import meter
    from pkigen.matrix import survey

    with meter() as progress:
        progress.start(len(subjects) * len(columns), "Verdicts")
        return survey(
            subjects,
            columns,
            known,
            lambda _, cases: progress.advance(cases),
            complete=complete,
        )


@contextmanager
def _served(environment: Environment, columns: Sequence[Column]) -> Iterator[tuple[str | None, str | None]]:
    """Serve the environment if a validator needs it; yield the addresses of the HTTP proxy and of TLS."""
    from pkigen.clock import utc_now
    from pkigen.matrix.browser import MAX_AGE
    from pkigen.serve import serve_as_proxy, serve_tls

    with ExitStack() as servers:
        proxy, tls = None, None
        if any(column.asks_a_server for column in columns):
            proxy = servers.enter_context(serve_as_proxy(environment.folder, at=environment.clock))
        browsers = [column.name for column in columns if "tls" in column.validator.looks_at]
        if browsers and any(case.is_for_servers for case in environment.cases()):
            if abs(utc_now() - environment.clock) > MAX_AGE:
                print_message(
                    f"{' and '.join(browsers)}: skipped, because browsers use the clock of this machine, and "
                    "the environment is an hour older or newer. Build it again in another directory."
                )
            url = servers.enter_context(serve_tls(environment.folder))
            tls = url.removeprefix("https://")
        yield proxy, tls


def _matching(subjects: Sequence[Subject], only: str | None) -> Sequence[Subject]:
    from fnmatch import fnmatchcase

    if only is None:
        return subjects
    matches = [one for one in subjects if fnmatchcase(one.name, only)]
    if not matches:
        raise InputError(f"no case has a name that matches '{only}'")
    return matches
