"""``python -m fuzz [COUNT] [SEED]``: so many mutated inputs, from a seed on, over all cores.

Every input follows from its number and the seed. One that shows something is kept in
``fuzz/findings`` and named; exit code 1 then.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from pathlib import Path

from fuzz.running import Outcome, run_batch

_FINDINGS = Path(__file__).parent / "findings"
_BATCH = 250


def main(count: int = 100_000, seed: int = 1) -> int:
    """Run and report; the exit code."""
    started = time.perf_counter()
    tasks = [(seed, first, min(_BATCH, count - first)) for first in range(0, count, _BATCH)]
    total = Outcome()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count() or 1) as pool:
        for done in pool.imap_unordered(run_batch, tasks):
            total = total + done
            print(f"\r{total.inputs:,} of {count:,}", end="", file=sys.stderr, flush=True)
    seconds = time.perf_counter() - started
    print(file=sys.stderr)
    print(f"{total.inputs:,} inputs in {seconds:.0f} s ({total.inputs / seconds:.0f} a second)")
    print(f"slowest: {total.slowest:.2f} s (number {total.slowest_number}); peak memory {total.peak:.0f} MiB")
    for number, words, data in total.findings:
        _FINDINGS.mkdir(exist_ok=True)
        path = _FINDINGS / f"{seed}-{number}"
        path.write_bytes(data)
        print(f"FINDING number {number}: {words} -> {path.name}")
    return 1 if total.findings else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
