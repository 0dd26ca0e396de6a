"""Terminal output: messages to stderr, results to stdout, safe for any terminal and locale."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import Any, TextIO

_COLORS = {"green": 32, "yellow": 33, "cyan": 36, "red": 31, "grey": 90, "bold": 1}


def print_message(text: str) -> None:
    """Print a message to stderr. A closed stderr is ignored, because the command itself has succeeded."""
    try:
        print(printable(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def print_line(text: str = "", *, flush: bool = False) -> None:
    """Print a line of the result to stdout."""
    print(text, flush=flush)


def print_json(value: Any) -> None:
    """Print the result as JSON to stdout; ASCII only, so that it does not depend on the locale."""
    print(json.dumps(value, indent=2, default=str))


def printable(text: str) -> str:
    """Escape control characters: names and values come from untrusted files and could control a terminal."""
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def colorize(text: str, color: str, stream: TextIO | None = None) -> str:
    """Color ``text`` if the stream (default: stdout) is a terminal and NO_COLOR is not set."""
    if not is_terminal(stream or sys.stdout) or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_COLORS[color]}m{text}\x1b[0m"


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether the stream is a terminal that can move its cursor."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def wrap(text: str, indent: int) -> str:
    """Wrap ``text`` to the terminal's width (80 in a pipe) and indent every line but the first."""
    width = min(shutil.get_terminal_size().columns, 100)
    return textwrap.fill(
        printable(text),
        max(width, indent + 20),
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def escape_unencodable_characters() -> None:
    """Make stdout and stderr escape the characters that the locale cannot encode, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
