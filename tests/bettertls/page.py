"""``docs/bettertls.md``: the comparison as a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pkigen.matrix import Matrix
from pkigen.matrix.known_differences import Known
from pkigen.matrix.runner import Cell
from tests.bettertls.original import SUITES, verdicts
from tests.tools import ROOT

PAGE = ROOT / "docs" / "bettertls.md"
_HEAD = Path(__file__).with_name("page_head.md")
_TITLES = {"pathbuilding": "Path building", "nameconstraints": "Name constraints"}
_TEXTS = {
    "pathbuilding": (
        "A client accepts {accepted} of the {count} cases and rejects {rejected}. In most of them, some "
        "certificates of a graph of CAs are invalid for one reason: expired, constrained to other names, for "
        "another purpose, no basic constraints, no CA, or signed with SHA-1."
    ),
    "nameconstraints": (
        "A client accepts {accepted} of the {count} cases and rejects {rejected}. In {warnings} cases, "
        "BetterTLS only warns of another verdict: these are the second number of a pair."
    ),
}


def page(matrix: Matrix) -> str:
    """Return the page."""
    expected = verdicts()
    rows: dict[str, list[tuple[bool, bool, tuple[Cell, ...]]]] = {suite: [] for suite in SUITES}
    for subject, cells in matrix.rows:
        _, suite, number = subject.name.split("::")
        rows[suite].append((*expected[f"{suite}.{number.removeprefix('tc')}"], tuple(cells)))
    reasons: dict[tuple[str, str], int] = {}
    lines = [_HEAD.read_text("utf-8").replace("SECONDS", f"{matrix.seconds:.0f}")]
    for suite in SUITES:
        lines += _suite(matrix, suite, rows[suite], reasons)
    lines += ["## Reasons", "", "| number | reason | kind |", "|---|---|---|"]
    lines += [f"| {number} | {reason} | {kind} |" for (kind, reason), number in reasons.items()]
    return "\n".join(lines) + "\n"


def _suite(
    matrix: Matrix,
    suite: str,
    rows: list[tuple[bool, bool, tuple[Cell, ...]]],
    reasons: dict[tuple[str, str], int],
) -> Iterator[str]:
    accepted, warnings = sum(row[0] for row in rows), sum(not row[1] for row in rows)
    text = _TEXTS[suite].format(
        accepted=f"{accepted:,}",
        rejected=f"{len(rows) - accepted:,}",
        count=f"{len(rows):,}",
        warnings=f"{warnings:,}",
    )
    yield f"## {_TITLES[suite]}"
    yield ""
    yield text
    yield ""
    yield "| validator | version | as BetterTLS expects | different | reasons, with the number of cases |"
    yield "|---|---|---|---|---|"
    for number, column in enumerate(matrix.columns):
        cells = [(required, cells[number]) for _, required, cells in rows]
        different = Counter(required for required, cell in cells if cell.differs)
        by_reason = Counter(_key(cell.known) for _, cell in cells if cell.known)
        named = [
            f"{reasons.setdefault(key, len(reasons) + 1)} ({count:,})" for key, count in by_reason.items()
        ]
        pair = f"{different[True]:,}" + (f" + {different[False]:,}" if warnings else "")
        right = len(rows) - different.total()
        # The version of pkigen changes with each release, not its verdicts.
        version = column.version if column.validator.name != "pkigen-verify" else ""
        yield f"| `{column.name}` | {version} | {right:,} | {pair} | {', '.join(named)} |"
    yield ""


def _key(known: Known) -> tuple[str, str]:
    return known.kind, known.reason
