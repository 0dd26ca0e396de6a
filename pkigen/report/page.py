"""Renders the report as one self-contained HTML file."""

from __future__ import annotations

from markupsafe import Markup

from pkigen.report.jinja_templates import read_template, render_template
from pkigen.report.page_data import Report
from pkigen.report.svg import as_svg
from pkigen.report.timeline import WIDTH

_GRADES = {"accept": "good", "reject": "bad", "varies": "notice"}
_VERDICTS = {"accept": "must be accepted", "varies": "validators differ", "reject": "must be rejected"}
_MARKS = {
    "trust anchor": "good",
    "broken": "notice",
    "revoked": "bad",
    "expired": "bad",
    "not yet valid": "notice",
}


def as_page(report: Report) -> str:
    """Return the HTML document."""
    # Only files of this package and the drawing, which is already escaped, are marked as safe.
    drawing = Markup(as_svg(report.hierarchy, report.anchors))  # noqa: S704
    styles = (read_template(name) for name in ("tokens.css", "page.css", "hierarchy.css"))
    return render_template(
        "page.html",
        {
            "report": report,
            "drawing": drawing,
            "style": Markup("".join(styles)),  # noqa: S704
            "script": Markup(read_template("page.js")),  # noqa: S704
            "grades": _GRADES,
            "verdicts": _VERDICTS,
            "mark_grades": _MARKS,
            "width": WIDTH,
        },
    )
