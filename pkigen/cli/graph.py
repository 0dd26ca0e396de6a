"""``pkigen graph``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from pkigen.cli._console import print_line
from pkigen.cli._options import EnvironmentDirectory, EvaluationTime, parse_time

HELP_ORDER = 200


def graph(
    env: EnvironmentDirectory,
    format_: Annotated[
        Literal["svg", "dot", "mermaid"], typer.Option("--format", help="Output format.")
    ] = "svg",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="File to write (default: stdout).")
    ] = None,
    at: EvaluationTime = None,
) -> None:
    """Draw the CA hierarchy as SVG, Graphviz or Mermaid.

    The drawing shows CAs, cross-certificates and certificates from left to right. Many similar certificates
    share one box. Expired, revoked and faulty certificates are marked.

    \b
    Examples:
      pkigen graph out/defender-iot --out defender-iot.svg
      pkigen graph out/deep-hierarchy --format dot | dot -Tpdf -o deep.pdf
      pkigen graph out/deep-hierarchy --format mermaid
    """
    from datetime import UTC, datetime

    from pkigen.environment.environment import open_environment
    from pkigen.report import as_dot, as_mermaid, as_svg, hierarchy_of

    formats = {"svg": as_svg, "dot": as_dot, "mermaid": as_mermaid}
    manifest = open_environment(env).manifest
    text = formats[format_](hierarchy_of(manifest, parse_time(at) or datetime.now(UTC)))
    if out is None:
        print_line(text.removesuffix("\n"))
    else:
        out.write_text(text, "utf-8")
