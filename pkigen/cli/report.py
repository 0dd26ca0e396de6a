"""``pkigen report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pkigen.cli._console import print_json, print_line, printable
from pkigen.cli._options import (
    EnvironmentDirectory,
    EvaluationTime,
    Json,
    PassphraseFiles,
    parse_time,
)


def report(
    env: EnvironmentDirectory,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The file to write; NAME.html, if not said.")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option("--against", metavar="SET", help="A requirement set's name, or its .yaml file."),
    ] = None,
    matrix: Annotated[
        Path | None,
        typer.Option("--matrix", metavar="FILE", help="What validators said: `pkigen matrix --json`."),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    at: EvaluationTime = None,
    json: Json = False,
) -> None:
    """Write a page about an environment: one HTML file.

    It has the hierarchy, the dates of every certificate, what `pkigen check` finds, and what is to be
    expected of broken ones. It needs no network, and no key is in it. Without --against the certificates
    are held against the sets that the profile and its cases name.

    \b
    Examples:
      pkigen report out/defender-iot
      pkigen report out/negative --matrix matrix.json --out negative.html
    """
    from datetime import UTC, datetime

    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.report import ReportOptions, as_page, gather, read_answers
    from pkigen.requirements import load_set

    options = ReportOptions(
        now=parse_time(at) or datetime.now(UTC),
        sets=tuple(map(load_set, dict.fromkeys(against))) if against else None,
        answers=read_answers(matrix) if matrix else None,
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
    )
    found = gather(env, options)
    file = out or Path(f"{env.resolve().name}.html")
    file.write_text(as_page(found), "utf-8")
    if json:
        print_json({"file": str(file), "findings": [row.name for row in found.surprises]})
    else:
        print_line(printable(str(file)))
