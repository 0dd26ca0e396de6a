"""Converts the Markdown of reference pages to plain text for terminals and text files."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from textwrap import fill

_WIDTH = 100
_ATTRIBUTES = re.compile(r"\s*\{ [#.][^}]*\}")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")
_ROW = re.compile(r"<dt>(.*?)</dt><dd>(.*?)</dd>", re.DOTALL)
_TAG = re.compile(r"</?(?:span|dl|dt|dd|div|a|br|code|b)\b[^>]*>")
_UNDERLINES = {1: "=", 2: "-"}


def plain_text(markdown: str) -> str:
    """Return Markdown as text: paragraphs wrapped, tables as lists, without links, HTML and front matter."""
    text = re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(_converted(text.splitlines()))).strip() + "\n"


def _converted(lines: list[str]) -> Iterator[str]:
    paragraph, table, in_code = list[str](), list[str](), False
    for line in [*lines, ""]:
        is_fence = line.startswith("```")
        if in_code and not is_fence:
            yield f"    {line}".rstrip()
            continue
        if table and not line.startswith("|"):
            yield from _list(table)
            table = []
        if paragraph and (not line.strip() or is_fence or line[0] in "#|"):
            yield from _wrapped(" ".join(paragraph))
            paragraph = []
        if is_fence:
            in_code = not in_code
            yield ""
        elif line.startswith("|"):
            table.append(line)
        elif line.startswith("#"):
            yield from _heading(line)
        elif line.startswith("<dl"):
            yield from _definitions(line)
        elif not line.strip():
            yield ""
        elif _ATTRIBUTES.sub("", line).strip():
            paragraph.append(line.strip())


def _heading(line: str) -> Iterator[str]:
    marks, _, title = line.partition(" ")
    text = _inline(title)
    yield from ("", text)
    if underline := _UNDERLINES.get(len(marks)):
        yield underline * len(text)


def _definitions(line: str) -> Iterator[str]:
    for label, text in _ROW.findall(line):
        yield fill(f"{label}: {_inline(text.replace('<br>', '; '))}", _WIDTH, subsequent_indent="    ")
    yield ""


def _list(rows: list[str]) -> Iterator[str]:
    """Yield the rows of a table: the first cell, and the other cells with their titles below it."""
    titles, _, *body = ([_inline(cell) for cell in row.strip("|").split("|")] for row in rows)
    for first, *others in body:
        named = [(title, cell) for title, cell in zip(titles[1:], others, strict=False) if cell]
        if len(titles) == 2:
            yield from _wrapped(f"{first}: {named[0][1] if named else ''}", "  ")
            continue
        yield f"  {first}"
        for title, cell in named:
            yield from _wrapped(f"{title}: {cell}" if title else cell, "      ")
    yield ""


def _wrapped(text: str, indent: str = "") -> Iterator[str]:
    is_item = text.startswith("- ")
    yield fill(
        _inline(text),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + ("  " if is_item or indent else ""),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _inline(text: str) -> str:
    text = _LINK.sub(r"\1", _ATTRIBUTES.sub("", text))
    return html.unescape(_TAG.sub("", text)).replace("**", "").strip()
