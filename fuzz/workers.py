"""Worker processes for many inputs: what kills one, native code that hangs included, is a finding too."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import Synchronized

from fuzz.running import Outcome, made, run

_BATCH = 250
_MOST_ADDRESSES = 3 * 1024**3
"""Bytes of address space, much of which is never touched; beyond, allocations fail."""
_CPU_PER_INPUT = 20
"""Seconds of CPU time after which the kernel ends a worker in which not even signal handlers run."""


@dataclass
class _Worker:
    """A process, where its outcomes come out, and the number of the input that it is at."""

    process: BaseProcess
    outcomes: connection.Connection
    at: Synchronized[int]
    first: int


def run_all(seed: int, count: int, progress: Callable[[int], None], jobs: int | None = None) -> Outcome:
    """The outcome of the inputs 0 to ``count`` of a seed, each worker doing every n-th of them."""
    jobs = jobs or os.cpu_count() or 1
    total = Outcome()
    workers = [_started(seed, first, count, jobs) for first in range(jobs)]
    while workers:
        ready = connection.wait([worker.outcomes for worker in workers])
        for worker in [worker for worker in workers if worker.outcomes in ready]:
            try:
                total = total + worker.outcomes.recv()
                progress(total.inputs)
            except EOFError:
                workers.remove(worker)
                worker.process.join()
                if worker.process.exitcode:
                    number, words = worker.at.value, f"it ends the process ({worker.process.exitcode})"
                    done = (number - worker.first) // jobs % _BATCH + 1
                    total = total + Outcome(done, findings=((number, words, made(seed, number)[0]),))
                    workers.append(_started(seed, number + jobs, count, jobs))
    return total


def _started(seed: int, first: int, count: int, step: int) -> _Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    at = context.Value("q", first)
    process = context.Process(target=_work, args=(theirs, at, seed, range(first, count, step)), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours, at, first)


def _work(outcomes: connection.Connection, at: Synchronized[int], seed: int, numbers: range) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)

    def begin(number: int) -> None:
        at.value = number
        signal.setitimer(signal.ITIMER_PROF, _CPU_PER_INPUT)

    for start in range(0, len(numbers), _BATCH):
        outcomes.send(run(seed, numbers[start : start + _BATCH], begin))
    outcomes.close()
