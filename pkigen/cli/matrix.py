"""``pkigen matrix``."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pkigen.cli._console import print_json, print_message
from pkigen.cli._options import Json, require_choice
from pkigen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkigen.environment.environment import Environment
    from pkigen.matrix import Column, Matrix, Subject, Validator

_REFERENCE = "negative"
"""The environment that observed.yaml and known.yaml are made from."""

HELP_ORDER = 160


def matrix(
    env: Annotated[
        Path | None,
        typer.Argument(metavar="ENV", help="A built environment's folder, or an x509-limbo file."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="GLOB", help="Only cases whose names match, e.g. '*.expired*'."),
    ] = None,
    validators: Annotated[
        str | None,
        typer.Option("--validators", metavar="A,B", help="Only these columns; --list names them."),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Which validators are found, and what the others come with.")
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="What each refusal says, for many cases as well.")
    ] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page that needs no network.")
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report.")
    ] = None,
    json: Json = False,
) -> None:
    """Compare expected verdicts with independent validators.

    Every case of a built environment is put to every independent validator found on this machine. It is
    served meanwhile, for those that fetch CRLs and OCSP answers. The exit code is 1 when one does not do
    what is expected and nobody wrote down why, or when what was written down is no longer so.

    A file of x509-limbo's format (version 1) is taken in the place of an environment.

    \b
    Examples:
      pkigen matrix --list
      pkigen matrix out/negative --html matrix.html
      pkigen matrix out/negative --only '*.san-*' --validators openssl,go
    """
    from pkigen.cli._matrix import give_list, give_matrix
    from pkigen.matrix import VALIDATORS, reports

    chosen = _chosen(validators, VALIDATORS)
    if list_:
        give_list(chosen, as_json=json)
        return
    if env is None:
        raise typer.BadParameter("a built environment's folder is missing", param_hint="'ENV'")
    found, missing = _columns(chosen)
    for one in missing:
        print_message(f"{one.name} is not found here and passed over: it comes with {one.comes_with}.")
    if not found:
        raise InputError(
            "none of these validators is found here; `pkigen matrix --list` says what to install"
        )
    title, clock, result = _asked(env, only, found)
    told = reports.as_json(result, title, clock, missing)
    for path, text in ((html, reports.html), (junit, lambda _: reports.junit(result))):
        if path is not None:
            path.write_text(text(told), encoding="utf-8")
            print_message(f"{path} is written.")
    print_json(told) if json else give_matrix(result, words=words)
    if not result.is_as_expected:
        raise typer.Exit(1)


def _chosen(names: str | None, known: Sequence[Validator]) -> list[Validator]:
    if names is None:
        return list(known)
    titles = [one.name for one in known]
    asked = [require_choice(name.strip(), titles, "--validators") for name in names.split(",")]
    return [one for one in known if one.name in asked]


def _columns(chosen: Sequence[Validator]) -> tuple[list[Column], list[Validator]]:
    """Those that are found, and those that are not."""
    from pkigen.faults.observed import recorded_version
    from pkigen.matrix import Column

    versions = [(one, one.version()) for one in chosen]
    present = [
        Column(one, version, recorded_version(one.name, version)) for one, version in versions if version
    ]
    return present, [one for one, version in versions if version is None]


def _asked(env: Path, only: str | None, columns: Sequence[Column]) -> tuple[str, str, Matrix]:
    """The environment's name and clock, and what became of its cases."""
    from pkigen.environment.environment import open_environment
    from pkigen.matrix import subjects_of

    if env.is_file():
        return _asked_of_limbo(env, only, columns)
    environment = open_environment(env)
    with _served(environment, columns) as proxy:
        subjects = _matching(subjects_of(environment, proxy), only)
        result = _surveyed(subjects, columns, complete=environment.name == _REFERENCE)
    return environment.name, environment.manifest["clock"], result


def _asked_of_limbo(file: Path, only: str | None, columns: Sequence[Column]) -> tuple[str, str, Matrix]:
    from tempfile import TemporaryDirectory

    from pkigen.matrix import subjects_of_limbo

    with TemporaryDirectory(prefix="pkigen-") as folder:
        subjects, passed = subjects_of_limbo(file, Path(folder))
        if passed:
            print_message(
                f"{passed:,} cases that are no servers under a DNS name or an address are passed over."
            )
        result = _surveyed(_matching(subjects, only), columns, complete=False)
    return file.name, "the times of its cases", result


def _surveyed(subjects: Sequence[Subject], columns: Sequence[Column], *, complete: bool) -> Matrix:
    from pkigen.cli._progress import meter
    from pkigen.matrix import known_differences, survey

    with meter() as progress:
        progress.start(len(subjects) * len(columns), "Verdicts")
        return survey(
            subjects,
            columns,
            known_differences(),
            lambda _, cases: progress.advance(cases),
            complete=complete,
        )


@contextmanager
def _served(environment: Environment, columns: Sequence[Column]) -> Iterator[str | None]:
    """The proxy behind which the environment answers, if a column asks there: the stub takes any host."""

    from pkigen.serve import serve_as_proxy

    if not any(column.asks_a_server for column in columns):
        yield None
        return
    at = environment.clock
    with serve_as_proxy(environment.folder, at=at) as address:
        yield address


def _matching(subjects: Sequence[Subject], only: str | None) -> Sequence[Subject]:
    from fnmatch import fnmatchcase

    if only is None:
        return subjects
    found = [one for one in subjects if fnmatchcase(one.name, only)]
    if not found:
        raise InputError(f"no case's name matches '{only}'")
    return found
