"""Words for people: messages to stderr, results to stdout, safe on any terminal."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import Any, TextIO

_COLOURS = {"green": 32, "yellow": 33, "cyan": 36, "red": 31, "grey": 90, "bold": 1}


def print_message(text: str) -> None:
    """A message, to stderr. If nobody reads there any more, what is done counts all the same."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def print_line(text: str = "", *, flush: bool = False) -> None:
    """A line of the result, to stdout."""
    print(text, flush=flush)


def print_json(value: Any) -> None:
    """The result for programs, to stdout; ASCII, so that no locale can spoil it."""
    print(json.dumps(value, indent=2, default=str))


def printable(text: str) -> str:
    """``text`` without what would steer a terminal; names and values come from files of any origin."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def colorize(text: str, colour: str, stream: TextIO | None = None) -> str:
    """``text`` in a colour, if the stream (stdout) is a terminal and NO_COLOR is not set."""
    if not is_terminal(stream or sys.stdout) or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads there, on a screen that can move its cursor."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def wrap(text: str, indent: int) -> str:
    """``text`` broken to the terminal's width (80 in a pipe), all lines but the first indented."""
    width = min(shutil.get_terminal_size().columns, 100)
    return textwrap.fill(
        printable(text),
        max(width, indent + 20),
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def escape_unencodable_characters() -> None:
    """Have both streams take any text, whatever the locale: what it has no letter for is escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
