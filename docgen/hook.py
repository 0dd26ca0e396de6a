"""The mkdocs hooks: insert the parts of a page that are generated from the program, and whole pages.

A line ``<!-- made: NAME -->`` or ``<!-- made: NAME ARGUMENT -->`` is replaced by one of ``PARTS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
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

_MATRIX, _CATALOG = "matrix.md", "reference/faults.md"
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


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List a page for each family of faults below the catalog (mkdocs event)."""
    pages = [{catalogue.title(family): _page_of(family)} for family in catalogue.family_pages()]
    for part in config.nav or ():
        for entry in next(iter(part.values())) if isinstance(part, dict) else ():
            if isinstance(entry, dict) and _CATALOG in entry.values():
                entry["Fault catalog"] = [{"Overview": _CATALOG}, *pages]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each family of faults (mkdocs event)."""
    for family, text in catalogue.family_pages().items():
        files.append(File.generated(config, _page_of(family), content=text))
    return files


def _page_of(family: str) -> str:
    return f"reference/faults/{family}.md"


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Insert the generated parts, and link the faults of the matrix to the catalog (mkdocs event)."""
    if page.file.src_uri == _MATRIX:
        families = catalogue.family_of()
        return _ROW.sub(
            lambda row: (
                f"| [{row[1]}]({_page_of(families[row[1]])}#{row[1]}) | " if row[1] in families else row[0]
            ),
            markdown,
        )
    index = f"\n## All faults\n\n{catalogue.index()}" if page.file.src_uri == _CATALOG else ""
    return made(markdown) + index


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Limit the table of contents to sections on pages with ``contents: sections`` (mkdocs event)."""
    if page.meta.get("contents") == "sections":
        for title in page.toc:
            for section in title.children:
                section.children = []
    return html
