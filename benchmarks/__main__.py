"""Measures the speed table: ``python -m benchmarks [PART OF A ROW'S NAME]``, five turns for each row.

Prints ours, the other, and the ratio, and writes ``benchmarks/results.json`` when all rows ran.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks import contenders
from benchmarks.bare import cores
from benchmarks.measure import REPEATS, Contender, Pair, in_turns, peak_memory, run

_RESULTS = Path(__file__).parent / "results.json"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``reached`` is None for a row that has no goal or did not run."""

    work: str
    against: str
    ours: str
    other: str
    ratio: str
    goal: str
    reached: bool | None
    measured: dict[str, object] = field(default_factory=dict)


Measurement = tuple[str, Callable[[], Iterator[Row]]]


def _fresh(work: str, key: str, count: int, limit: float) -> Iterator[Row]:
    ours, bare = contenders.pkigen(key, count), contenders.bare("fresh", key, count)
    yield _against_bare(work, ours, bare, "bare keys + signing", limit)


def _against_bare(work: str, ours: Contender, bare: Contender, against: str, limit: float) -> Row:
    pair = in_turns(ours, bare)
    goal = f"at most {limit:g}x"
    return Row(work, against, *_shown(pair), f"{pair.ratio:.2f}x", goal, pair.ratio <= limit, _detail(pair))


def _against_tools(work: str, ours: Contender) -> Iterator[Row]:
    for tool in contenders.TOOLS:
        goal = f"{tool.times:g}x faster"
        if missing := tool.missing():
            yield Row(work, tool.name, "-", f"no {Path(missing).name} here", "-", goal, None)
            continue
        pair = in_turns(ours, tool.contender)
        faster = 1 / pair.ratio
        reached = faster >= tool.times
        yield Row(work, tool.name, *_shown(pair), f"{faster:.1f}x faster", goal, reached, _detail(pair))


def _unchanged(count: int, limit: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="pkigen-bench-") as name:
        folder = Path(name)
        command = contenders.build(contenders.write_profile(folder, "ec-p256", count), folder)
        run(command, folder)
        costs = [run(command, folder) for _ in range(REPEATS)]
    cpu = median(cost.cpu for cost in costs)
    measured: dict[str, object] = {"ours cpu": [cost.cpu for cost in costs]}
    work = f"build again, nothing changed, {count:,}"
    yield Row(work, "-", f"{cpu:.2f} s CPU", "-", "-", f"at most {limit:g} s", cpu <= limit, measured)


def _memory(counts: tuple[int, ...], limit: int) -> Iterator[Row]:
    peaks = {}
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="pkigen-bench-") as name:
            folder = Path(name)
            command = contenders.build(contenders.write_profile(folder, "ec-p256", count), folder)
            peaks[count] = peak_memory(command, folder)
    for count, peak in peaks.items():
        work = f"peak memory, {count:,} EC P-256"
        if peak is None:
            yield Row(work, "-", "only on Linux", "-", "-", f"under {limit} MiB", None)
            continue
        measured: dict[str, object] = {"ours MiB": peak}
        yield Row(work, "-", f"{peak:.0f} MiB", "-", "-", f"under {limit} MiB", peak < limit, measured)


def _pooled(count: int, limit: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="pkigen-bench-pool-") as pool:
        ours = contenders.pkigen("rsa-2048", count, "--keys", "pool", environ={"PKIGEN_KEY_POOL": pool})
        bare = contenders.bare("pool", "rsa-2048", count)
        yield _against_bare(f"{count:,} RSA-2048, --keys pool", ours, bare, "bare signing", limit)


def _measurements() -> Iterator[Measurement]:
    for count, limit in ((22, 1.35), (202, 1.05)):
        work = f"{count} fresh RSA-2048"
        yield work, partial(_fresh, work, "rsa-2048", count, limit)
    yield "tools", partial(_against_tools, "22 fresh RSA-2048", contenders.pkigen("rsa-2048", 22))
    yield "unchanged", partial(_unchanged, 1_000, 0.6)
    yield "10,000 EC P-256", partial(_fresh, "10,000 EC P-256", "ec-p256", 10_000, 2)
    yield "memory", partial(_memory, (1_000, 10_000, 20_000), 200)
    yield "pool", partial(_pooled, 10_000, 1.5)


def _shown(pair: Pair) -> tuple[str, str]:
    ours, other = (median(cost.wall for cost in costs) for costs in (pair.ours, pair.other))
    return f"{ours:.2f} s", f"{other:.2f} s"


def _detail(pair: Pair) -> dict[str, object]:
    found: dict[str, object] = {
        "ours": [round(cost.wall, 4) for cost in pair.ours],
        "other": [round(cost.wall, 4) for cost in pair.other],
        "ratio": round(pair.ratio, 4),
    }
    for part in pair.other[0].parts:
        found[f"other: {part}"] = [round(cost.parts[part], 4) for cost in pair.other]
    return found


def _machine() -> dict[str, object]:
    return {
        "cores": cores(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cryptography": version("cryptography"),
        "turns": REPEATS,
    }


_WIDTHS = (39, 31, 11, 18, 11, 30)


def _print(*cells: str) -> None:
    padded = (cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    print("  ".join(padded).rstrip(), flush=True)


def main(asked: str = "") -> None:
    """Measure every row whose name contains ``asked``."""
    print(f"{cores()} cores, Python {platform.python_version()}; medians of {REPEATS}, taken in turns.\n")
    _print("work", "against", "ours", "the other", "ratio", "to reach")
    rows = []
    for name, measure in _measurements():
        if asked in name:
            for row in measure():
                rows.append(row)
                verdict = {True: "reached", False: "NOT REACHED", None: "not measured"}[row.reached]
                _print(row.work, row.against, row.ours, row.other, row.ratio, f"{row.goal}: {verdict}")
    if asked:
        return
    results = {"machine": _machine(), "rows": [asdict(row) for row in rows]}
    _RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print("\nAll runs are in benchmarks/results.json; benchmarks/README.md says what each row does.")


if __name__ == "__main__":
    main(*sys.argv[1:2])
