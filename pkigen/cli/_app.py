"""The Typer application: discovers the commands in this package and orders them for the help."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import typer

from pkigen import __version__
from pkigen.plugins import import_modules

_LAST = 1000


def discover_commands() -> dict[str, Callable[..., Any] | typer.Typer]:
    """Return the commands by name, in the order of the help.

    Each public module of ``pkigen.cli`` defines one command: a function, or a group (``typer.Typer``), that
    has the name of the module. A trailing underscore avoids a keyword (``break_``). ``HELP_ORDER`` in the
    module is the position in the help; commands without it follow in alphabetical order.
    """
    package = import_module(__name__.rpartition(".")[0])
    modules = {module.__name__.rpartition(".")[2]: module for module in import_modules(package)}
    ordered = sorted(modules, key=lambda name: getattr(modules[name], "HELP_ORDER", _LAST))
    return {name.rstrip("_").replace("_", "-"): getattr(modules[name], name) for name in ordered}


app = typer.Typer(
    # Plain-text help: rendering it with rich would take longer than all other start-up work.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"pkigen {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Generate test PKIs from a YAML profile: CAs, certificates, CRLs, and the server that publishes them.

    \b
    Start here:
      pkigen init defender-iot        writes defender-iot.yaml for you to edit
      pkigen build defender-iot.yaml  builds out/defender-iot
      pkigen serve out/defender-iot   serves its CRLs and CA certificates
    """


for _name, _command in discover_commands().items():
    if isinstance(_command, typer.Typer):
        app.add_typer(_command)
    else:
        app.command(_name)(_command)
