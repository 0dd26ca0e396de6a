"""``pkigen init``."""

from __future__ import annotations

import os
import shlex
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from pkigen.cli._completion import complete_shipped_profile
from pkigen.cli._console import (
    print_json,
    print_line,
    print_message,
    wrap,
)
from pkigen.cli._options import Json, unknown_profile
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.os_errors import os_error_reason

HELP_ORDER = 10


def init(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of a shipped profile.", autocompletion=complete_shipped_profile
        ),
    ] = "minimal",
    list_: Annotated[bool, typer.Option("--list", help="List the shipped profiles and exit.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite NAME.yaml if it exists.")] = False,
    json: Json = False,
) -> None:
    """Write a shipped profile to the current directory.

    The file NAME.yaml is a starting point for your own profile; its comments explain what you can change.

    \b
    Examples:
      pkigen init --list
      pkigen init defender-iot
    """
    from pkigen.documents import shipped

    if list_:
        _list(json)
        return
    if name not in shipped.names():
        raise unknown_profile(name, "no shipped profile of that name")
    target = Path(f"{name}.yaml")
    _write(target, shipped.path(name).read_bytes(), force)
    if json:
        print_json({"profile": str(target)})
    else:
        print_line(f"Wrote {target}")
        print_message(f"Next: pkigen build {shlex.quote(str(target))}")


def _list(json: bool) -> None:
    from pkigen.documents import shipped

    described = {name: _description(shipped.path(name)) for name in shipped.names()}
    if json:
        print_json([{"name": name, "description": text} for name, text in described.items()])
        return
    width = max(map(len, described)) + 2
    for name, text in described.items():
        print_line(wrap(f"{name:<{width}}{text}", width))


def _description(path: Path) -> str:
    """Return a profile's description: the first paragraph of the comment at its start."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(line[2:].strip() for line in takewhile(lambda line: line.startswith("# "), lines))


def _write(target: Path, data: bytes, force: bool) -> None:
    """Write a temporary file and rename it, so that a partial profile never has the final name."""
    if target.exists() and not force:
        raise InputError(f"{target} already exists; use --force to overwrite it")
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise EnvironmentFailure(f"cannot write {target}: {os_error_reason(error)}") from error
