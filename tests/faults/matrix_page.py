"""``docs/matrix.md``: the record as a page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import yaml

from pkigen.faults import FAULTS, VERDICTS
from pkigen.faults.observed import ROWS, observations, records
from pkigen.matrix import CAPABILITIES, VALIDATORS, Known, known_differences
from tests.faults.outsiders import UNKNOWN
from tests.tools import ROOT

PAGE = ROOT / "docs" / "matrix.md"
_MARKS = {"accept": "✓", "refuse": "✕", "blind": "·", UNKNOWN: "?"}
_EXPECTED = {"R": ("refuse", "blind"), "A": ("accept", "blind"), "P": ("accept", "blind")}


def differs(fault: str, word: str) -> bool:
    """Return whether a verdict differs from the one that the class of a fault expects."""
    return word != UNKNOWN and word not in _EXPECTED.get(FAULTS[fault].verdict, (word,))


def page() -> str:
    """Return the text of the page."""
    record: dict[str, Any] = yaml.safe_load(ROWS.read_text("utf-8"))
    rows = record["rows"]
    parts = (_head(record), _columns(record), _tables(rows), _other_systems(record), _reasons())
    return "\n".join(line for lines in parts for line in lines)


def figures() -> tuple[int, int, int, int]:
    """Return the numbers of cases, columns, validators, and verdicts that differ from the expected ones."""
    record: dict[str, Any] = yaml.safe_load(ROWS.read_text("utf-8"))
    differences = sum(_differences(record["rows"]).values())
    return record["made"]["cases"], len(VALIDATORS), len(_codebases()), differences


def _head(record: dict[str, Any]) -> Iterator[str]:
    made, differing = record["made"], sum(_differences(record["rows"]).values())
    yield "# Validator verdicts"
    yield ""
    yield "<!-- Written by python -m tests.faults.record. -->"
    yield ""
    yield (
        f"The shipped profile `negative` has {made['cases']} cases. {len(_codebases())} validators, which "
        f"share no code with pkigen or with each other, judged them in {len(VALIDATORS)} columns on "
        f"{made['on']}. {differing} verdicts differ from the one that the class of the fault expects; the "
        f"reasons are below. The run took {made['seconds']} seconds on two cores."
    )
    yield ""
    yield "To repeat the comparison on your machine, with the message of each rejection in an HTML page:"
    yield ""
    yield "```sh"
    yield "pkigen build negative"
    yield "pkigen matrix --list"
    yield "pkigen matrix out/negative --html matrix.html"
    yield "```"
    yield ""
    yield (
        "`pkigen matrix` exits with 1 if a verdict differs from the expected one and "
        "`pkigen/matrix/known.yaml` has no reason for it. If the version of a validator is not the recorded "
        "one, the command reports that. In the environment `negative`, it also exits with 1 if a reason no "
        "longer explains a difference of the recorded version; for another version, it only reports that. "
        "A reason can be limited to some versions. [Findings](findings.md) describes the bugs, with the "
        "commands that reproduce them."
    )
    yield ""


def _codebases() -> set[str]:
    """Return the validators; columns of one validator count once."""
    return {column.name.partition("-")[0] for column in VALIDATORS}


def _differences(rows: dict[str, dict[str, str]]) -> dict[str, int]:
    """Return the number of differences by column."""
    counts = dict.fromkeys((column.name for column in VALIDATORS), 0)
    for fault, row in rows.items():
        for column, word in row.items():
            counts[column] += differs(fault, word)
    return counts


def _columns(record: dict[str, Any]) -> Iterator[str]:
    counts = _differences(record["rows"])
    yield "## Validators"
    yield ""
    yield "| | column | version | checks | differences |"
    yield "|---|---|---|---|---|"
    for number, column in enumerate(VALIDATORS, 1):
        sights = ", ".join(sight for sight in CAPABILITIES if sight in column.looks_at)
        version = record["versions"][column.name]
        yield f"| {number} | `{column.name}` | {version} | {sights} | {counts[column.name]} |"
    yield ""
    yield (
        "A check that a column does not perform is not an acceptance: `bouncycastle` compares no host names, "
        "and `pyca` and `webpki` read no CRL. `file` is the form of PEM files, `fetching` the download of "
        "CRLs over HTTP, `tls` the behavior of a TLS server. Browsers connect to the TLS endpoint, at the "
        "time of the machine: the environment must not be older than an hour."
    )
    yield ""
    yield (
        "The catalog has no composite signatures (draft-ietf-lamps-pq-composite-sigs), because none of these "
        "validators verifies them."
    )
    yield ""


def _tables(rows: dict[str, dict[str, str]]) -> Iterator[str]:
    yield "## Verdicts"
    yield ""
    unknown = any(UNKNOWN in row.values() for row in rows.values())
    yield (
        "✓ accepts, ✕ rejects, ○ rejects another part of the case, · does not check it"
        f"{', ? not recorded yet' if unknown else ''}; **bold**: differs from the expected verdict."
    )
    yield ""
    yield "; ".join(f"{letter}: {words}" for letter, words in VERDICTS.items()) + "."
    for family, faults in groupby(rows, lambda fault: FAULTS[fault].family):
        yield ""
        yield f"### {family}"
        yield ""
        yield "| fault | | " + " | ".join(str(number) for number in range(1, len(VALIDATORS) + 1)) + " |"
        yield "|---" * (len(VALIDATORS) + 2) + "|"
        for fault in faults:
            marks = (_mark(fault, rows[fault][column.name]) for column in VALIDATORS)
            yield f"| {fault} | {FAULTS[fault].verdict} | " + " | ".join(marks) + " |"
    yield ""


def _mark(fault: str, word: str) -> str:
    mark = _MARKS.get(word, "○")
    return f"**{mark}**" if differs(fault, word) else mark


def _other_systems(record: dict[str, Any]) -> Iterator[str]:
    for other in record.get("others", ()):
        yield f"## {other['system']}"
        yield ""
        yield (
            f"The same cases, with the validators of {other['system']}. The table lists the verdicts that "
            f"differ from those above, which are of {record['system']}; **bold**: differs from the expected "
            "verdict."
        )
        yield ""
        yield "| fault | | validator | verdict |"
        yield "|---|---|---|---|"
        for fault, row in other["rows"].items():
            for column, word in row.items():
                if word == UNKNOWN:
                    continue
                verdict = f"**{word}**" if differs(fault, word) else word
                validator = f"{other['versions'][column]} (`{column}`)"
                yield f"| {fault} | {FAULTS[fault].verdict} | {validator} | {verdict} |"
        yield ""
        unknown = [f"`{fault}`" for fault, row in other["rows"].items() if UNKNOWN in row.values()]
        if unknown:
            yield f"Not all verdicts on these faults are recorded there: {', '.join(unknown)}."
            yield ""


def _reasons() -> Iterator[str]:
    yield "## Reasons"
    yield ""
    yield (
        "*choice*: documented behavior, or the effect of an option; *limit*: an unsupported feature; *bug*: "
        "behavior that contradicts the standard or the documentation."
    )
    for column in VALIDATORS:
        own = [
            one
            for one in known_differences()
            if one.column == column.name
            and one.fault in observations()
            and any(
                differs(one.fault, record.rows[one.fault].get(one.column, UNKNOWN))
                and one.is_of(record.versions.get(one.column))
                for record in records()
            )
        ]
        if own:
            yield ""
            yield f"### {column.name}"
            yield ""
            yield from _grouped(own)
    yield ""


def _grouped(own: list[Known]) -> Iterator[str]:
    together: dict[tuple[str, str], list[str]] = {}
    for one in own:
        together.setdefault((one.kind, one.reason), []).append(f"`{one.fault}`")
    for (kind, reason), faults in sorted(together.items()):
        yield f"- {', '.join(faults)} ({kind}): {reason}"
