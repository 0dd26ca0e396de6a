"""Measures the speed table: ``python -m benchmarks [PART OF A MEASUREMENT'S NAME]``, five turns for each row.

Prints ours, the other, and the ratio, and writes ``benchmarks/results.json`` when all rows ran. The progress
goes to stderr. ``python -m benchmarks --list`` prints the names.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks.bare import cores
from benchmarks.limits import with_limit
from benchmarks.measure import REPEATS
from benchmarks.rows import Measurement, Row, measurements

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
        row = with_limit(row)
        verdict = {True: ": reached", False: ": NOT REACHED", None: ": not measured"}[row.reached]
        verdict = "" if row.goal == "-" else verdict
        limit = f" ({row.limited_by})" if row.limited_by else ""
        _print(row.work, row.against, row.ours, row.other, row.ratio, f"{row.goal}{verdict}{limit}")
        yield row


def _measured(chosen: Sequence[Measurement], space: Path) -> Iterator[Row]:
    """Measure one after the other, and report the progress on stderr."""
    begun = time.monotonic()
    for number, (name, measure) in enumerate(chosen, 1):
        minutes, seconds = divmod(round(time.monotonic() - begun), 60)
        print(f"[{number}/{len(chosen)}, {minutes}:{seconds:02}] {name}", file=sys.stderr, flush=True)
        yield from _printed(measure(space))


def main(part: str = "") -> None:
    """Measure everything whose name contains ``part``."""
    known = list(measurements())
    chosen = [(name, measure) for name, measure in known if part in name]
    names = "\n".join(dict.fromkeys(name for name, _ in known))
    if part == "--list":
        print(names)
        return
    if not chosen:
        sys.exit(f"no measurement has '{part}' in its name; there are:\n{names}")
    print(f"{cores()} cores, Python {platform.python_version()}; medians of {REPEATS}, taken in turns.\n")
    _print("work", "against", "ours", "the other", "ratio", "to reach")
    with tempfile.TemporaryDirectory(prefix="pkigen-bench-") as space:
        rows = list(_measured(chosen, Path(space)))
    if part:
        return
    results = {"machine": _machine(), "rows": [asdict(row) for row in rows]}
    _RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print("\nAll runs are in benchmarks/results.json; benchmarks/README.md says what each row does.")


if __name__ == "__main__":
    main(*sys.argv[1:2])
