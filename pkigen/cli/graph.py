"""``pkigen graph``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pkigen.cli._console import print_line
from pkigen.cli._options import EnvironmentDirectory, EvaluationTime, parse_time


def graph(
    env: EnvironmentDirectory,
    form: Annotated[
        Literal["svg", "dot", "mermaid"], typer.Option("--format", help="A picture, or the text of one.")
    ] = "svg",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The file to write; stdout, if not said.")
    ] = None,
    at: EvaluationTime = None,
) -> None:
    """Draw an environment's hierarchy: SVG, Graphviz, Mermaid.

    Authorities, cross-certificates and certificates, from left to right. Many that are alike are one box.
    What has expired, is revoked or is broken on purpose is marked.

    \b
    Examples:
      pkigen graph out/defender-iot --out defender-iot.svg
      pkigen graph out/deep-hierarchy --format dot | dot -Tpdf -o deep.pdf
      pkigen graph out/deep-hierarchy --format mermaid
    """
    from datetime import UTC, datetime

    from pkigen.environment.environment import open_environment
    from pkigen.report import as_dot, as_mermaid, as_svg, hierarchy_of

    forms = {"svg": as_svg, "dot": as_dot, "mermaid": as_mermaid}
    manifest = open_environment(env).manifest
    text = forms[form](hierarchy_of(manifest, parse_time(at) or datetime.now(UTC)))
    if out is None:
        print_line(text.removesuffix("\n"))
    else:
        out.write_text(text, "utf-8")
