"""``pkigen help``."""

from __future__ import annotations

from typing import Annotated

import typer

from pkigen.cli._console import colorize, print_line, wrap
from pkigen.errors import InputError

HELP_ORDER = 260
_TOPICS = ("profile", "fault")


def help(  # noqa: A001  a command's function has the name of the command
    topic: Annotated[
        str, typer.Argument(metavar="[TOPIC]", help="`profile`, `fault`, or the name of a command.")
    ] = "",
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Key of a profile, or ID or family of a fault.")
    ] = "",
) -> None:
    """Show the reference of profile keys, faults and commands.

    Without NAME, all keys or all faults are listed.

    \b
    Examples:
      pkigen help profile
      pkigen help profile san
      pkigen help fault expired
      pkigen help build
    """
    if topic == "profile":
        _print_key(name) if name else _print_keys()
    elif topic == "fault":
        from pkigen.cli.faults import faults

        faults(name or None)
    else:
        _print_command(topic, name)


def _print_keys() -> None:
    from pkigen.profile.reference import PARTS, keys

    for part, title in PARTS.items():
        print_line(colorize(title, "bold"))
        for key, summary in keys(part).items():
            print_line(wrap(f"  {key:<26}{summary}", 28))
    print_line()
    print_line("`pkigen help profile KEY` describes a key.")


def _print_key(name: str) -> None:
    from pkigen.documents.fields import close_to
    from pkigen.profile.reference import PARTS, keys, plain_text, sections_of

    key = name.rpartition(".")[2]
    sections = sections_of(key)
    if not sections:
        known = [one for part in PARTS for one in keys(part)]
        close = close_to(key, tuple(known))
        hint = f" (did you mean '{close}'?)" if close else ""
        raise InputError(f"a profile has no key '{key}'{hint}; `pkigen help profile` lists all keys")
    for part, section in sections.items():
        if len(sections) > 1:
            print_line(colorize(PARTS[part], "bold"))
        print_line(plain_text(section))


def _print_command(topic: str, name: str) -> None:
    from pkigen.cli._app import command_line
    from pkigen.documents.fields import close_to

    commands = command_line().commands
    if topic and topic not in commands:
        close = close_to(topic, (*_TOPICS, *commands))
        hint = f" (did you mean '{close}'?)" if close else ""
        raise InputError(f"no help for '{topic}'{hint}; use profile, fault, or the name of a command")
    arguments = [word for word in (topic, name) if word]
    command_line(arguments).main([*arguments, "--help"], prog_name="pkigen")
