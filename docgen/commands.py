"""The reference page of the commands, generated from their help."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import click

from pkigen.cli import main
from pkigen.cli._app import command_line
from pkigen.profile.reference import words

_AS_WRITTEN = "\b"
"""Click's mark for a paragraph that it must not wrap."""
_OPTION = re.compile(r"(?<![\w`>-])(--[a-z][a-z-]*)(?![^<]*</code>)")
_TYPE = re.compile(r" <(str|path|Path|list\[\w+\])>$")
"""The type that click appends to a metavar."""


def printed(*arguments: str) -> Any:
    """Return the parsed ``--json`` output of a command; raise RuntimeError if it fails."""
    with redirect_stdout(StringIO()) as stdout:
        code = main(arguments)
    if code:
        raise RuntimeError(f"pkigen {' '.join(arguments)} exits with {code}")
    return json.loads(stdout.getvalue())


def pages() -> str:
    """Return a section for each command, in the order of the help."""
    lines = [line for name, command in known() for line in _command(name, command)]
    return "\n".join(lines)


def known() -> Iterator[tuple[str, click.Command]]:
    """Yield every command, groups excluded, with its full name."""
    yield from _below("pkigen", command_line())


def _below(name: str, command: Any) -> Iterator[tuple[str, click.Command]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for word, inner in command.commands.items():
        yield from _below(f"{name} {word}", inner)


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    yield f"## {name} {{ #{words.anchor(name.removeprefix('pkigen '))} }}"
    yield ""
    yield "```text"
    yield " ".join((name, *command.collect_usage_pieces(context)))
    yield "```"
    yield ""
    yield from _help(command.help or "")
    for title, kind in (("argument", "argument"), ("option", "option")):
        rows = [row for parameter in command.params if (row := _row(parameter, context, kind))]
        if rows:
            yield from (f"| {title} | description |", "|---|---|", *rows, "")


def _help(text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; unwrapped paragraphs become code blocks."""
    for paragraph in re.split(r"\n\s*\n", text):
        if not paragraph.startswith(_AS_WRITTEN):
            yield from (_OPTION.sub(r"<code>\1</code>", words.escaped(" ".join(paragraph.split()))), "")
            continue
        title, *lines = paragraph.removeprefix(_AS_WRITTEN).strip("\n").splitlines()
        yield from (f"**{title.strip().removesuffix(':')}**", "", "```text")
        yield from (line.strip() for line in lines)
        yield from ("```", "")


def _row(parameter: click.Parameter, context: click.Context, kind: str) -> str | None:
    if parameter.param_type_name != kind or getattr(parameter, "hidden", False):
        return None
    record = parameter.get_help_record(context)
    if record is None:
        return None
    metavar, text = _TYPE.sub("", record[0]), record[1]
    return f"| <code>{words.escaped(metavar)}</code> | {words.escaped(text)} |"
