"""``pkigen init``."""

from __future__ import annotations

import os
import shlex
from itertools import takewhile
from pathlib import Path
from typing import Annotated

import typer

from pkigen.cli._console import (
    print_json,
    print_line,
    print_message,
    wrap,
)
from pkigen.cli._options import Json, unknown_profile
from pkigen.errors import EnvironmentFailure, InputError


def _complete(incomplete: str) -> list[str]:
    from pkigen.profile import shipped

    return [name for name in shipped.names() if name.startswith(incomplete)]


def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="The shipped profile.", autocompletion=_complete)
    ] = "minimal",
    list_: Annotated[bool, typer.Option("--list", help="Name the shipped profiles.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace NAME.yaml if it exists.")] = False,
    json: Json = False,
) -> None:
    """Write a shipped profile here, to start from.

    It becomes NAME.yaml in the current folder, with comments on what can be changed.

    \b
    Examples:
      pkigen init --list
      pkigen init defender-iot
    """
    from pkigen.profile import shipped

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
        print_line(f"{target} is written")
        print_message(f"Next: pkigen build {shlex.quote(str(target))}")


def _list(json: bool) -> None:
    from pkigen.profile import shipped

    described = {name: _description(shipped.path(name)) for name in shipped.names()}
    if json:
        print_json([{"name": name, "description": text} for name, text in described.items()])
        return
    width = max(map(len, described)) + 2
    for name, text in described.items():
        print_line(wrap(f"{name:<{width}}{text}", width))


def _description(path: Path) -> str:
    """What a profile says of itself: the first paragraph of the comment that it begins with."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return " ".join(line[2:].strip() for line in takewhile(lambda line: line.startswith("# "), lines))


def _write(target: Path, data: bytes, force: bool) -> None:
    """Write beside the target and move over it: half a profile never has its name."""
    if target.exists() and not force:
        raise InputError(f"{target} exists; --force replaces it")
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_bytes(data)
        beside.replace(target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise EnvironmentFailure(f"{target} cannot be written here: {error.strerror}") from error
