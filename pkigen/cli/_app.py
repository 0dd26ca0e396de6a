"""The program: its commands in the order in which a person meets them, and its own options."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen import __version__
from pkigen.cli import (
    break_,
    build,
    check,
    convert,
    export,
    faults,
    graph,
    hosts,
    init,
    lab,
    matrix,
    plan,
    refresh_crl,
    renew,
    report,
    revoke,
    schema,
    serve,
    show,
    unrevoke,
    validate,
    verify,
)

COMMANDS = (
    init.init,
    validate.validate,
    plan.plan,
    build.build,
    renew.renew,
    revoke.revoke,
    unrevoke.unrevoke,
    refresh_crl.refresh_crl,
    break_.break_,
    check.check,
    verify.verify,
    convert.convert,
    export.export,
    faults.faults,
    show.show,
    matrix.matrix,
    serve.serve,
    hosts.hosts,
    report.report,
    graph.graph,
    schema.schema,
)

app = typer.Typer(
    # Help is plain text: rendering it with rich would cost more time than everything else does.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pkigen {__version__}")
        raise typer.Exit


@app.callback()
def pkigen(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Test PKIs from a YAML profile: authorities, certificates, CRLs that answer.

    \b
    Start here:
      pkigen init defender-iot       writes defender-iot.yaml, to be edited
      pkigen build defender-iot.yaml builds out/defender-iot
      pkigen serve out/defender-iot  serves its CRLs and CA certificates
    """


for command in COMMANDS:
    app.command(command.__name__.rstrip("_").replace("_", "-"))(command)
app.add_typer(lab.lab)
