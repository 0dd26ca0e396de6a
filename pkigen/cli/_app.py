"""The Typer application: discovers the commands in this package and orders them for the help."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Annotated, Any, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from pkigen import __version__
from pkigen.plugins import import_modules, module_names

_PACKAGE = import_module(__name__.rpartition(".")[0])

_LAST = 1000
_HELP = ("--help", "-h")


Commands = dict[str, Callable[..., Any] | typer.Typer]


def discover_commands() -> Commands:
    """Return the commands by name, in the order of the help.

    Each public module of ``pkigen.cli`` defines one command: a function, or a group (``typer.Typer``), that
    has the name of the module. A trailing underscore avoids a keyword (``break_``). ``HELP_ORDER`` in the
    module is the position in the help; commands without it follow in alphabetical order.
    """
    modules = {module.__name__.rpartition(".")[2]: module for module in import_modules(_PACKAGE)}
    ordered = sorted(modules, key=lambda name: getattr(modules[name], "HELP_ORDER", _LAST))
    return {_command_name(name): getattr(modules[name], name) for name in ordered}


def _command_name(module: str) -> str:
    return module.rstrip("_").replace("_", "-")


def command_line(arguments: Sequence[str] = ()) -> TyperGroup:
    """Return the command line, with the command alone that ``arguments`` begin with if they name one.

    Typer derives the options of a command from the annotations of its function. For all commands, this takes
    longer than all other start-up work.
    """
    return _command_line(arguments[0] if arguments else "")


def completed_command() -> list[str]:
    """Return the first word of the command line that a shell completes, if it is a command; else nothing."""
    words = (os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or "").split()[1:2]
    commands = set(map(_command_name, module_names(_PACKAGE)))
    return words if "_PKIGEN_COMPLETE" in os.environ and commands.issuperset(words) else []


@cache
def _command_line(first: str) -> TyperGroup:
    modules = {_command_name(name): name for name in module_names(_PACKAGE)}
    if first in (*_HELP, "--version"):  # the command line ends with this option
        commands = {name: _without_options(one) for name, one in discover_commands().items()}
    elif (name := modules.get(first)) is None:
        commands = discover_commands()
    else:
        commands = {first: getattr(import_module(f"{_PACKAGE.__name__}.{name}"), name)}
    return cast("TyperGroup", get_command(_application(commands)))


def _without_options(command: Callable[..., Any] | typer.Typer) -> Callable[..., Any] | typer.Typer:
    """Return a command that has only the description of another: the list of commands needs no more."""
    if isinstance(command, typer.Typer):
        return command

    def described() -> None: ...

    described.__doc__ = command.__doc__
    return described


def _application(commands: Commands) -> typer.Typer:
    app = typer.Typer(
        # Plain-text help: rendering it with rich would take longer than all other start-up work.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": list(_HELP)},
    )
    app.callback()(_main)
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command)
        else:
            app.command(name)(command)
    return app


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"pkigen {__version__}")
        raise typer.Exit


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
