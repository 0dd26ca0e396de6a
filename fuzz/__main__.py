"""``python -m fuzz [COUNT] [SEED]``: so many mutated inputs, from a seed on, over all cores.

Every input follows from its number and the seed; ``python -m fuzz again SEED NUMBER`` feeds one of them
once more. One that shows something is kept in ``fuzz/findings`` and named; exit code 1 then.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fuzz.running import Outcome, run
from fuzz.workers import run_all

_FINDINGS = Path(__file__).parent / "findings"


def main(count: int = 100_000, seed: int = 1) -> int:
    """Run and report; the exit code."""

    def progress(done: int) -> None:
        print(f"\r{done:,} of {count:,}", end="", file=sys.stderr, flush=True)

    print(f"seed {seed}")
    started = time.perf_counter()
    total = run_all(seed, count, progress)
    print(file=sys.stderr)
    _report(total, seed, time.perf_counter() - started)
    return 1 if total.findings else 0


def again(seed: int, number: int) -> int:
    """One input once more, in this process."""
    started = time.perf_counter()
    total = run(seed, [number])
    _report(total, seed, time.perf_counter() - started)
    return 1 if total.findings else 0


def _report(total: Outcome, seed: int, seconds: float) -> None:
    rate = total.inputs / seconds
    print(f"{total.inputs:,} inputs in {seconds:.0f} s ({rate:.0f} a second)")
    print(f"slowest: {total.slowest:.2f} s (number {total.slowest_number}); peak memory {total.peak:.0f} MiB")
    for number, words, data in sorted(total.findings):
        _FINDINGS.mkdir(exist_ok=True)
        path = _FINDINGS / f"{seed}-{number}"
        path.write_bytes(data)
        print(f"FINDING seed {seed} number {number}: {words} -> {path.name}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["again"]:
        sys.exit(again(*map(int, sys.argv[2:4])))
    sys.exit(main(*map(int, sys.argv[1:3])))
