"""The fault catalog as pages, one for each family, from the output of ``pkigen faults --json``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from docgen.commands import printed
from pkigen.faults import VERDICTS
from pkigen.faults.observed import observed
from pkigen.profile.reference import words

_SHORT = {"R": "rejected", "A": "accepted", "P": "passes", "V": "varies"}
_OF_RFC_5280 = re.compile(r"[0-9]|[A-C]\.[0-9]")
_ACRONYMS = ("acme", "cmp", "crl", "est", "ocsp", "san", "scep")
_OBSERVED = (("refuse", "Rejected by"), ("accept", "Accepted by"))


@cache
def faults() -> tuple[dict[str, Any], ...]:
    """Return every fault as the command prints it."""
    return tuple(printed("faults", "--json"))


def overview() -> str:
    """Return a table of the families with the number of faults of each class."""
    lines = [
        f"| family | faults | {' | '.join(map(_badge, VERDICTS))} |",
        f"|---|---|{'---|' * len(VERDICTS)}",
    ]
    total = Counter[str]()
    for family, faults_of_family in _families().items():
        counts = Counter(one["verdict"] for one in faults_of_family if not _is_of_server(one))
        total += counts
        lines.append(
            f"| [{title(family)}](faults/{family}.md) | {len(faults_of_family)} | {_cells(counts)} |"
        )
    lines.append(f"| **all** | **{len(faults())}** | {_cells(total)} |")
    return "\n".join(lines)


def families() -> str:
    """Return a section for each family, with a heading for each of its faults: the catalog as one text."""
    return "\n".join(line for family in _families() for line in _family(family, "##"))


def family_pages() -> dict[str, str]:
    """Return a page for each family, by the name of the family."""
    return {family: "\n".join(_family(family, "#")) for family in _families()}


def family_of() -> dict[str, str]:
    """Return the family of each fault."""
    return {one["id"]: one["family"] for one in faults()}


def index() -> str:
    """Return links to all faults, by family."""
    parts = []
    for family, faults_of_family in _families().items():
        links = (f'<a href="faults/{family}.html#{one["id"]}">{one["id"]}</a>' for one in faults_of_family)
        parts.append(f'**{title(family)}**\n\n<div class="ids">{" ".join(links)}</div>\n')
    return "\n".join(parts)


@cache
def _families() -> dict[str, list[dict[str, Any]]]:
    families = dict[str, list[dict[str, Any]]]()
    for one in faults():
        families.setdefault(one["family"], []).append(one)
    return families


def _family(family: str, level: str) -> Iterator[str]:
    """Yield the heading of a family, at a level such as ``##``, and its faults one level below."""
    faults_of_family = _families()[family]
    yield f"{level} {'Faults: ' if level == '#' else ''}{title(family)} {{ #{_section(family)} }}"
    yield ""
    yield words.escaped(_says(family))
    yield ""
    links = (f'<a href="#{one["id"]}">{one["id"]}</a>' for one in faults_of_family)
    yield f'<div class="ids">{" ".join(links)}</div>'
    yield ""
    for one in faults_of_family:
        yield from _entry(one, f"{level}#")


def _says(family: str) -> str:
    """Return the description of a family: the first paragraph of its module's docstring."""
    package = "enrolment" if _is_of_server(_families()[family][0]) else "families"
    module = import_module(f"pkigen.faults.{package}.{family.replace('-', '_')}")
    return " ".join((module.__doc__ or "").partition("\n\n")[0].split())


def title(family: str) -> str:
    """Return the name of a family for people."""
    return family.upper() if family in _ACRONYMS else family.capitalize().replace("-", " ")


def _section(family: str) -> str:
    """Return the anchor of a family; the prefix avoids a clash with a fault ID."""
    return f"family-{family}"


def _entry(one: dict[str, Any], level: str) -> Iterator[str]:
    yield f"{level} {one['id']} {{ #{one['id']} }}"
    yield ""
    badge = "" if _is_of_server(one) else f"{_badge(one['verdict'])} "
    yield f"{badge}{words.escaped(' '.join((one['says'], *one['shows'].split())))}"
    yield "{ .fault }"
    yield ""
    rows = "".join(f"<dt>{label}</dt><dd>{text}</dd>" for label, text in _rows(one) if text)
    yield f'<dl class="fault">{rows}</dl>'
    yield ""


def _rows(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    clause = one["clause"]
    yield "Clause", words.escaped(f"RFC 5280, {clause}" if _OF_RFC_5280.match(clause) else clause)
    yield "Detected at", one["stage"]
    yield "Exploited as", ", ".join(one["cves"])
    yield "Created by", "<br>".join(map(words.escaped, one["made"]))
    for verdict, label in _OBSERVED:
        yield label, words.escaped(", ".join(observed(one["id"], verdict)))
    yield "pkigen finds", ", ".join(f"<code>{rule}</code>" for rule in one["finds"])
    yield "In a profile", f"<code>{words.escaped(one['profile'])}</code>"


def _is_of_server(one: dict[str, Any]) -> bool:
    """Return whether a fault is one of the enrollment server, which has no verdict of path validators."""
    return bool(one["stage"] == "enrolment")


def _badge(verdict: str) -> str:
    return f'<span class="verdict {verdict}" title="{VERDICTS[verdict]}">{_SHORT[verdict]}</span>'


def _cells(counts: Counter[str]) -> str:
    return " | ".join(str(counts[verdict] or "") for verdict in VERDICTS)
