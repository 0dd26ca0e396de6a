"""The page of a case: what is wrong with what the client was shown, and what it should have done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

_CLASSES = {
    "R": "A strict client refuses it: one that shows this page did not look closely enough.",
    "A": "A control: clients accept it.",
    "P": "Path validation lets it pass; linters and the rules of profiles do not.",
    "V": "Clients differ.",
}

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4; --ground: #ffffff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #343b44; --ground: #14181d; } }
body { margin: 0 auto; padding: 2.5rem 1.25rem; max-width: 46rem; color: var(--ink);
       background: var(--ground); font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0 0 .4rem; font-size: 1.6rem; overflow-wrap: anywhere; }
p { margin: 0 0 1.6rem; color: var(--soft); }
dl { margin: 0; border-top: 1px solid var(--line); }
dt { padding-top: .7rem; color: var(--soft); font-size: .85rem; font-weight: 600; }
dd { margin: 0; padding-bottom: .7rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
"""
_OF_RFC_5280 = re.compile(r"[0-9]|[A-C]\.[0-9]")


def text(data: dict[str, Any]) -> str:
    """For a terminal; ``data`` is the case's object of the manifest."""
    rows = "".join(f"{label}: {value}\n" for label, value in _rows(data))
    return f"{data['name']}\n{_headline(data)}\n\n{rows}"


def html(data: dict[str, Any]) -> str:
    """For a browser: one file, nothing loaded from elsewhere."""
    rows = "\n".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in _rows(data))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(data["name"])} - pkigen</title>
<link rel="icon" href="data:,">
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(data["name"])}</h1>
<p>{escape(_headline(data))}</p>
<dl>
{rows}
</dl>
</body>
</html>
"""


def _headline(data: dict[str, Any]) -> str:
    fault, verdict = data.get("fault"), data["verdict"]
    if fault is not None:
        return str(fault["says"])
    if verdict["expected"] == "accept":
        return "It is sound."
    return f"No fault was put into it, and it is to be refused: {verdict['reason']}."


def _clause(text: str) -> str:
    """A clause without a name is RFC 5280's."""
    return f"RFC 5280, {text}" if _OF_RFC_5280.match(text) else text


def _rows(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    fault, verdict = data.get("fault"), data["verdict"]
    if fault is not None:
        if fault["shows"]:
            yield "How it shows, what to do", fault["shows"]
        if fault["clause"]:
            yield "Clause", _clause(fault["clause"])
        if fault["verdict"]:
            yield "Clients", _CLASSES[fault["verdict"]]
        if fault["base"]:
            yield "Made from", fault["base"]
    yield "Expected", " ".join(filter(None, (verdict["expected"], _stage(verdict), _when(verdict))))
    yield "Hosts", ", ".join(data["hosts"]) or "none"
    yield "Valid", f"{data['not_before']} to {data['not_after']}"
    yield "SHA-256", data["sha256"]


def _stage(verdict: dict[str, Any]) -> str:
    return f"(stage: {verdict['stage']})" if verdict["stage"] else ""


def _when(verdict: dict[str, Any]) -> str:
    return f"at {verdict['at']}" if verdict.get("at") else ""
