"""A fleet built by a Dask scheduler with two workers on this machine, against two worker processes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen

from benchmarks.fleets import command
from benchmarks.measure import Contender, Cost, in_turns, new_folder, run
from benchmarks.rows import Row

_WORKERS = 2
_TURNS = 3
_MOST_SECONDS = 60.0


def _speed(count: int, limit: float, space: Path) -> Iterator[Row]:
    """The authority has ``share_key: true``, so that the workers sign."""
    work, goal = f"fleet of {count:,}, Dask", f"at least {limit:g}x"
    if find_spec("distributed") is None:
        yield Row(work, "two processes", "-", "no distributed here", "-", goal, None)
        return
    with _cluster(new_folder(space)) as address:
        over_dask = _build(count, "--scheduler", address)
        pair = in_turns(over_dask, _build(count, "--jobs", str(_WORKERS)), space, _TURNS)
    ours, other = (median(cost.wall for cost in costs) for costs in (pair.ours, pair.other))
    measured: dict[str, object] = {
        "ours": [round(cost.wall, 2) for cost in pair.ours],
        "other": [round(cost.wall, 2) for cost in pair.other],
        "ratio": round(1 / pair.ratio, 4),
    }
    cells = f"{ours:.1f} s", f"{other:.1f} s", f"{1 / pair.ratio:.2f}x"
    yield Row(work, "two processes", *cells, goal, 1 / pair.ratio >= limit, measured)


def _build(count: int, *options: str) -> Contender:
    def contend(folder: Path) -> Cost:
        build = command(folder, count)
        profile = folder / "fleet.yaml"
        shared = profile.read_text(encoding="utf-8").replace("ocsp: {}}", "ocsp: {}, share_key: true}")
        profile.write_text(shared, encoding="utf-8")
        return run((*build, *options), folder)

    return contend


@contextmanager
def _cluster(folder: Path) -> Iterator[str]:
    """Start a scheduler and its workers, each a process, and give the scheduler's address."""
    file = folder / "scheduler.json"
    scheduler = ("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    worker = ("distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--no-nanny")
    with ExitStack() as stack:
        for module, *options in (scheduler, *(worker for _ in range(_WORKERS))):
            arguments = (sys.executable, "-m", module, *options, "--scheduler-file", str(file))
            process = stack.enter_context(Popen(arguments, cwd=folder, stdout=DEVNULL, stderr=DEVNULL))
            stack.callback(process.terminate)
        address = _when_written(file)
        yield address


def _when_written(file: Path) -> str:
    begun = time.monotonic()
    while time.monotonic() - begun < _MOST_SECONDS:
        try:
            address: str = json.loads(file.read_text(encoding="utf-8"))["address"]
        except (OSError, ValueError):
            time.sleep(0.1)
        else:
            return address
    raise RuntimeError("the Dask scheduler does not start")


measurements: tuple[tuple[str, Callable[[Path], Iterator[Row]]], ...] = (
    ("fleet over Dask", partial(_speed, 100_000, 0.8)),
)
