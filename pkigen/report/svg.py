"""The hierarchy drawn, for light and dark: alone, or as part of a page that has the colours."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

from pkigen.report.hierarchy import Hierarchy
from pkigen.report.layout import laid_out
from pkigen.report.templating import rendered, source


def as_svg(hierarchy: Hierarchy, targets: Mapping[str, str] | None = None) -> str:
    """An SVG document; with ``targets`` (ids on a page, by the names of what is drawn) a part of it."""
    style = "" if targets else Markup(source("tokens.css") + source("hierarchy.css"))  # noqa: S704  ours
    values = {"drawn": laid_out(hierarchy), "title": hierarchy.title, "style": style}
    return rendered("hierarchy.svg", {**values, "targets": targets or {}})
