"""Renders a requirement set as a table for readers: an HTML page or Markdown."""

from __future__ import annotations

from markupsafe import Markup

from pkigen.report.jinja_templates import read_template, render_template
from pkigen.requirements import RequirementSet

_GRADES = {"rejected": "bad", "unsupported": "notice", "advice": "wait"}


def as_html(one: RequirementSet) -> str:
    """Return a self-contained HTML page."""
    # Only files of this package are marked as safe.
    style = Markup("".join(map(read_template, ("tokens.css", "page.css"))))  # noqa: S704
    return render_template("set.html", {"set": one, "style": style, "grades": _GRADES})


def as_markdown(one: RequirementSet) -> str:
    """Return Markdown: a head, a table of the requirements, and what the set does not check."""
    source = ", ".join(filter(None, (one.source.title, one.source.date, one.source.url)))
    head = f"Requirement set `{one.name}`. Source: {source}. {one.source.note}".rstrip()
    lines = [f"# {one.title}", "", head, ""]
    lines += [f"- Role `{name}`: {role.says}" for name, role in one.roles.items()]
    lines += [f"- Switch `{name}`: {'on' if one.is_on(name) else 'off'}" for name in one.known_switches]
    lines += [""] * bool(one.roles or one.known_switches)
    lines += ["| requirement | level | | ID |", "|---|---|---|---|"]
    for requirement in one.requirements:
        notes = "; ".join(one.notes_on(requirement))
        cells = (requirement.says, requirement.level, notes, f"`{requirement.id}`")
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    if one.not_covered:
        lines += ["", "Not checked:", "", *(f"- {words}" for words in one.not_covered)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\n", " ")
