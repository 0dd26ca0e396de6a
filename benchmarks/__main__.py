"""Measures the speed table: ``python -m benchmarks [--update] [TEXT]``, five turns for each row.

Prints ours, the other, and the ratio; the progress goes to stderr. Without TEXT, it measures everything and
writes ``benchmarks/results.json``; with TEXT, only the measurements with TEXT in their name, and ``--update``
replaces their rows in the file after each measurement. ``--list`` prints the names.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.bare import cores
from benchmarks.limits import with_limit
from benchmarks.measure import REPEATS
from benchmarks.rows import Measurement, Row, measurements

_WIDTHS = (39, 31, 11, 18, 11, 37)


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


def _measured(chosen: Sequence[Measurement], space: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of one measurement after the other, and report the progress on stderr."""
    begun = time.monotonic()
    for number, (name, measure) in enumerate(chosen, 1):
        minutes, seconds = divmod(round(time.monotonic() - begun), 60)
        print(f"[{number}/{len(chosen)}, {minutes}:{seconds:02}] {name}", file=sys.stderr, flush=True)
        yield [results.as_stored(name, row) for row in _printed(measure(space))]


def _named() -> dict[str, Callable[[Path], Iterator[Row]]]:
    """Return the measurements by name; those with the same name are one."""
    parts = dict[str, list[Callable[[Path], Iterator[Row]]]]()
    for name, measure in measurements():
        parts.setdefault(name, []).append(measure)
    return {name: partial(_all_of, of_name) for name, of_name in parts.items()}


def _all_of(parts: Sequence[Callable[[Path], Iterator[Row]]], space: Path) -> Iterator[Row]:
    for measure in parts:
        yield from measure(space)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the speed table.")
    parser.add_argument("text", nargs="?", default="", metavar="TEXT", help="part of a measurement's name")
    parser.add_argument("--update", action="store_true", help="replace the measured rows in results.json")
    parser.add_argument("--list", action="store_true", help="print the names of the measurements")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None, path: Path = results.RESULTS) -> None:
    """Measure what the arguments select; ``path`` is the file of the results."""
    given = _arguments(arguments)
    known = _named()
    chosen = [(name, measure) for name, measure in known.items() if given.text in name]
    names = "\n".join(known)
    if given.list:
        print(names)
        return
    if not chosen:
        sys.exit(f"no measurement has '{given.text}' in its name; there are:\n{names}")
    try:
        rows = results.stored(path) if given.update else []
    except (OSError, ValueError) as error:
        sys.exit(f"--update: {error}")
    print(f"{cores()} cores, Python {platform.python_version()}; medians of {REPEATS}, taken in turns.\n")
    _print("work", "against", "ours", "the other", "ratio", "to reach")
    with tempfile.TemporaryDirectory(prefix="pkigen-bench-") as space:
        for new in _measured(chosen, Path(space)):
            rows = results.updated(rows, new)
            if given.update:
                results.write(rows, path)
    if not given.text:
        results.write(rows, path)
    if given.update or not given.text:
        print(f"\nAll runs are in {path}; benchmarks/README.md says what each row does.")


if __name__ == "__main__":
    main()
