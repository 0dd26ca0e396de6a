"""The mkdocs hooks: insert the parts of a page that are generated from the program.

A line ``<!-- made: NAME -->`` or ``<!-- made: NAME ARGUMENT -->`` is replaced by one of ``PARTS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

from docgen import catalogue, commands, manifest, sets
from pkigen.profile.reference import section

PARTS: dict[str, Callable[[str], str]] = {
    "faults": lambda _: catalogue.families(),
    "families": lambda _: catalogue.overview(),
    "profile-keys": section,
    "manifest": lambda _: manifest.objects(),
    "sets": lambda _: sets.overview(),
    "set-tables": lambda _: sets.tables(),
    "commands": lambda _: commands.pages(),
}
"""The generated parts by name."""

_MATRIX = "matrix.md"
_ROW = re.compile(r"^\| ([a-z0-9.-]+) \| (?=[RAPV] \|)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"^<!-- made: ([a-z-]+)(?: (\S+))? -->$", re.MULTILINE)


def made(text: str) -> str:
    """Replace the placeholders of a page by generated parts; raise PluginError for an unknown part."""

    def part(match: re.Match[str]) -> str:
        if match[1] not in PARTS:
            raise PluginError(f"unknown part '{match[1]}'; the parts are {', '.join(PARTS)}")
        try:
            return PARTS[match[1]](match[2] or "")
        except ValueError as error:
            raise PluginError(str(error)) from error

    return _PLACEHOLDER.sub(part, text)


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Insert the generated parts, and link the faults of the matrix to the catalog (mkdocs event)."""
    if page.file.src_uri == _MATRIX:
        return _ROW.sub(r"| [\1](reference/faults.md#\1) | ", markdown)
    return made(markdown)


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Limit the table of contents to sections on pages with ``contents: sections`` (mkdocs event)."""
    if page.meta.get("contents") == "sections":
        for title in page.toc:
            for section in title.children:
                section.children = []
    return html
