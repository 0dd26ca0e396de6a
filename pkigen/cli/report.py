"""``pkigen report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pkigen.cli._completion import complete_set
from pkigen.cli._console import print_json, print_line, printable
from pkigen.cli._options import (
    EnvironmentDirectory,
    EvaluationTime,
    Json,
    PassphraseFiles,
    parse_time,
)

HELP_ORDER = 190


def report(
    env: EnvironmentDirectory,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="File to write (default: NAME.html).")
    ] = None,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against",
            metavar="SET",
            help="Requirement set to check, by name or .yaml file; can be repeated (default: the sets that "
            "the profile and its cases name).",
            autocompletion=complete_set,
        ),
    ] = None,
    matrix: Annotated[
        Path | None,
        typer.Option(
            "--matrix",
            metavar="FILE",
            help="Output of `pkigen matrix --json`; adds the validators' verdicts.",
        ),
    ] = None,
    passphrase_file: PassphraseFiles = None,
    at: EvaluationTime = None,
    json: Json = False,
) -> None:
    """Write an HTML report about an environment.

    The report is one self-contained file without keys. It shows the hierarchy, the validity period of every
    certificate, the findings of `pkigen check`, and the expected verdict of every faulty certificate.

    \b
    Examples:
      pkigen report out/defender-iot
      pkigen report out/negative --matrix matrix.json --out negative.html
    """
    from datetime import UTC, datetime

    from pkigen.inspection.artifacts import read_passphrase
    from pkigen.report import (
        ReportOptions,
        as_page,
        collect_page_data,
        read_matrix_results,
    )
    from pkigen.requirements import load_set

    options = ReportOptions(
        now=parse_time(at) or datetime.now(UTC),
        sets=tuple(map(load_set, dict.fromkeys(against))) if against else None,
        matrix_results=read_matrix_results(matrix) if matrix else None,
        passphrases=tuple(map(read_passphrase, passphrase_file or ())),
    )
    page_data = collect_page_data(env, options)
    file = out or Path(f"{env.resolve().name}.html")
    file.write_text(as_page(page_data), "utf-8")
    if json:
        print_json({"file": str(file), "findings": [row.name for row in page_data.surprises]})
    else:
        print_line(printable(str(file)))
