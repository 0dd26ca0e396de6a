"""What mkdocs calls: puts what is made from the program where a page asks for it.

A line ``<!-- made: NAME -->`` or ``<!-- made: NAME ARGUMENT -->`` stands for one of ``PARTS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page

from docgen import catalogue, commands, manifest, profile_language

PARTS: dict[str, Callable[[str], str]] = {
    "faults": lambda _: catalogue.families(),
    "families": lambda _: catalogue.overview(),
    "profile-keys": profile_language.section,
    "manifest": lambda _: manifest.objects(),
    "commands": lambda _: commands.pages(),
}
"""The parts by the name that a page asks for them."""

_ASKED = re.compile(r"^<!-- made: ([a-z-]+)(?: (\S+))? -->$", re.MULTILINE)


def made(text: str) -> str:
    """A page's Markdown with the parts that it asks for; PluginError for one that there is not."""

    def part(found: re.Match[str]) -> str:
        if found[1] not in PARTS:
            raise PluginError(f"nothing is called '{found[1]}'; there are {', '.join(PARTS)}")
        try:
            return PARTS[found[1]](found[2] or "")
        except ValueError as error:
            raise PluginError(str(error)) from error

    return _ASKED.sub(part, text)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs for each page, before it is rendered."""
    return made(markdown)


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Called by mkdocs for each page: where it asks for it, its table of contents ends with the sections."""
    if page.meta.get("contents") == "sections":
        for title in page.toc:
            for section in title.children:
                section.children = []
    return html
