"""The page: one file of HTML that needs nothing else."""

from __future__ import annotations

from markupsafe import Markup

from pkigen.report.jinja_templates import read_template, render_template
from pkigen.report.page_data import Report
from pkigen.report.svg import as_svg
from pkigen.report.timeline import WIDTH

_GRADES = {"accept": "good", "reject": "bad", "varies": "notice"}
_VERDICTS = {"accept": "to be accepted", "varies": "validators differ", "reject": "to be refused"}
_MARKS = {
    "trust anchor": "good",
    "broken": "notice",
    "revoked": "bad",
    "expired": "bad",
    "not yet valid": "notice",
}


def as_page(report: Report) -> str:
    """The whole document."""
    # What is marked as safe is of this package: the drawing has escaped all that went into it.
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
