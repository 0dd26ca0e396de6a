"""Measures the speed table: ``python -m benchmarks [PART OF A ROW'S NAME]``, five turns for each row.

Prints ours, the other, and the ratio, and writes ``benchmarks/results.json`` when all rows ran.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks.bare import cores
from benchmarks.measure import REPEATS
from benchmarks.rows import Row, measurements

_RESULTS = Path(__file__).parent / "results.json"
_WIDTHS = (39, 31, 11, 18, 11, 37)


def _machine() -> dict[str, object]:
    return {
        "cores": cores(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cryptography": version("cryptography"),
        "turns": REPEATS,
    }


def _print(*cells: str) -> None:
    padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    print("  ".join(padded).rstrip(), flush=True)


def _printed(rows: Iterator[Row]) -> Iterator[Row]:
    """Yield the same rows, each printed as soon as it is measured."""
    for row in rows:
        verdict = {True: ": reached", False: ": NOT REACHED", None: ": not measured"}[row.reached]
        verdict = "" if row.goal == "-" else verdict
        _print(row.work, row.against, row.ours, row.other, row.ratio, f"{row.goal}{verdict}")
        yield row


def main(part: str = "") -> None:
    """Measure every row whose name contains ``part``."""
    print(f"{cores()} cores, Python {platform.python_version()}; medians of {REPEATS}, taken in turns.\n")
    _print("work", "against", "ours", "the other", "ratio", "to reach")
    with tempfile.TemporaryDirectory(prefix="pkigen-bench-") as space:
        chosen = (measure for name, measure in measurements() if part in name)
        rows = [row for measure in chosen for row in _printed(measure(Path(space)))]
    if part:
        return
    results = {"machine": _machine(), "rows": [asdict(row) for row in rows]}
    _RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print("\nAll runs are in benchmarks/results.json; benchmarks/README.md says what each row does.")


if __name__ == "__main__":
    main(*sys.argv[1:2])
