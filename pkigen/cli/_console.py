"""Terminal output: messages to stderr, results to stdout, safe for any terminal and locale."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import islice
from json.encoder import encode_basestring_ascii
from typing import Any, TextIO

_COMPACT = json.JSONEncoder(default=str)
_ITEMS_AT_ONCE = 100
_UNLIMITED = 1 << 20
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
    """Print the result as JSON to stdout; ASCII only, so that it does not depend on the locale.

    The items of an iterator are printed as they are read, each on one line.
    """
    sys.stdout.writelines(_json(value, "\n"))
    print()


def _json(value: Any, newline: str) -> Iterator[str]:
    inner = newline + "  "
    if isinstance(value, dict) and value:
        separator = "{"
        for key, item in value.items():
            yield f"{separator}{inner}{encode_basestring_ascii(str(key))}: "
            # A generator for each string takes longer than the encoding.
            if isinstance(item, str):
                yield encode_basestring_ascii(item)
            else:
                yield from _json(item, inner)
            separator = ","
        yield newline + "}"
    elif isinstance(value, list | tuple) and value:
        separator = "["
        for item in value:
            yield f"{separator}{inner}"
            if isinstance(item, str):
                yield encode_basestring_ascii(item)
            else:
                yield from _json(item, inner)
            separator = ","
        yield newline + "]"
    elif isinstance(value, Iterator):
        separator = "["
        while items := list(islice(value, _ITEMS_AT_ONCE)):
            yield f"{separator}{inner}{_items(items, inner)}"
            separator = ","
        yield "[]" if separator == "[" else newline + "]"
    else:
        yield _COMPACT.encode(value)


def _items(items: list[Any], newline: str) -> str:
    """Return the JSON of items, each on one line."""
    # A call for each item takes longer than the encoding. Objects are separated only by this string; if there
    # is more of it, one of them contains it.
    text, between = _COMPACT.encode(items)[1:-1], "}, {"
    if all(type(item) is dict for item in items) and text.count(between) == len(items) - 1:
        return text.replace(between, f"}},{newline}{{")
    return f",{newline}".join(map(_COMPACT.encode, items))


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
    """Wrap ``text`` to the terminal's width and indent every line but the first.

    In a pipe, for searches by other programs, only COLUMNS defines a width.
    """
    width = _width(os.environ.get("COLUMNS", ""))
    if len(text) <= width and text.isprintable() and text[-1:] != " ":
        return text
    return textwrap.fill(
        printable(text),
        max(width, indent + 20),
        subsequent_indent=" " * indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


@cache
def _width(columns: str) -> int:
    """Return the width for text, at most 100; ``columns`` is COLUMNS, which overrides the terminal."""
    if columns.isdecimal() and int(columns):
        return min(int(columns), 100)
    return min(shutil.get_terminal_size().columns, 100) if is_terminal(sys.stdout) else _UNLIMITED


def escape_unencodable_characters() -> None:
    """Make stdout and stderr escape the characters that the locale cannot encode, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
