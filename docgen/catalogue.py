"""The fault catalogue as a page, from what ``pkigen faults --json`` prints."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from docgen import words
from docgen.commands import printed
from pkigen.faults import VERDICTS

_SHORT = {"R": "refused", "A": "accepted", "P": "passes", "V": "varies"}
_OF_RFC_5280 = re.compile(r"[0-9]|[A-C]\.[0-9]")
_SAID = (("refuse", "Refused by"), ("accept", "Taken by"))


@cache
def faults() -> tuple[dict[str, Any], ...]:
    """Every fault, as the command tells it."""
    return tuple(printed("faults", "--json"))


def overview() -> str:
    """A table of the families: how many faults of each class."""
    lines = [
        f"| family | faults | {' | '.join(map(_badge, VERDICTS))} |",
        f"|---|---|{'---|' * len(VERDICTS)}",
    ]
    total = Counter[str]()
    for family, found in _families().items():
        counts = Counter(one["verdict"] for one in found)
        total += counts
        lines.append(f"| [{_title(family)}](#{_section(family)}) | {len(found)} | {_cells(counts)} |")
    lines.append(f"| **all** | **{total.total()}** | {_cells(total)} |")
    return "\n".join(lines)


def families() -> str:
    """A section for each family, with a heading for each of its faults."""
    return "\n".join(line for family, found in _families().items() for line in _family(family, found))


def _families() -> dict[str, list[dict[str, Any]]]:
    found = dict[str, list[dict[str, Any]]]()
    for one in faults():
        found.setdefault(one["family"], []).append(one)
    return found


def _family(family: str, found: list[dict[str, Any]]) -> Iterator[str]:
    yield f"## {_title(family)} {{ #{_section(family)} }}"
    yield ""
    yield words.escaped(_says(family))
    yield ""
    links = (f'<a href="#{one["id"]}">{one["id"]}</a>' for one in found)
    yield f'<div class="ids">{" ".join(links)}</div>'
    yield ""
    for one in found:
        yield from _entry(one)


def _says(family: str) -> str:
    """What a family is about: the first paragraph of its module."""
    module = import_module(f"pkigen.faults.families.{family.replace('-', '_')}")
    return " ".join((module.__doc__ or "").partition("\n\n")[0].split())


def _title(family: str) -> str:
    return family.upper() if family in ("crl", "ocsp", "san") else family.capitalize().replace("-", " ")


def _section(family: str) -> str:
    """The anchor of a family: some faults have an id that is a family's name."""
    return f"family-{family}"


def _entry(one: dict[str, Any]) -> Iterator[str]:
    yield f"### {one['id']} {{ #{one['id']} }}"
    yield ""
    yield f"{_badge(one['verdict'])} {words.escaped(' '.join((one['says'], *one['shows'].split())))}"
    yield "{ .fault }"
    yield ""
    rows = "".join(f"<dt>{label}</dt><dd>{shown}</dd>" for label, shown in _rows(one) if shown)
    yield f'<dl class="fault">{rows}</dl>'
    yield ""


def _rows(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    clause = one["clause"]
    yield "Clause", words.escaped(f"RFC 5280, {clause}" if _OF_RFC_5280.match(clause) else clause)
    yield "Shows at", one["stage"]
    yield "Made by", "<br>".join(map(words.escaped, one["made"]))
    for said, label in _SAID:
        yield label, ", ".join(_validators(one["observed"], said))
    yield "pkigen finds", ", ".join(f"<code>{found}</code>" for found in one["finds"])
    yield "In a profile", f"<code>{words.escaped(one['profile'])}</code>"


def _validators(observed: dict[str, str], said: str) -> Iterator[str]:
    """Who said it; ``refuse PART`` is a refusal of that part alone."""
    for validator, word in observed.items():
        if word.split()[0] == said:
            yield words.escaped(validator)


def _badge(verdict: str) -> str:
    return f'<span class="verdict {verdict}" title="{VERDICTS[verdict]}">{_SHORT[verdict]}</span>'


def _cells(counts: Counter[str]) -> str:
    return " | ".join(str(counts[verdict] or "") for verdict in VERDICTS)
