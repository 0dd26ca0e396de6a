"""Worker processes that end with the build, however it ends."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait

from pkigen.environment.build.issuance import Done, Task, Workshop
from pkigen.errors import EnvironmentFailure

_COLLECT_AFTER = 50_000


class Workers:
    """Makes batches in other processes."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def submit(self, batch: list[Task]) -> Future[list[Done]]:
        """Make a batch when a worker is free."""
        return self._executor.submit(_make_batch, batch)


@contextmanager
def workers(workshop: Workshop, count: int) -> Iterator[Workers]:
    """``count`` processes, forked where that is sound; killed when the block ends by an exception.

    EnvironmentFailure when one of them was ended from outside.
    """
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(count, context, _start, (workshop,))
    try:
        yield Workers(executor)
    except BaseException as error:
        # The executor would have them finish what is queued, and wait for them for ever if it was
        # itself interrupted at a bad moment.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        if isinstance(error, BrokenProcessPool):
            raise EnvironmentFailure(
                "a worker process was ended from outside, perhaps for want of memory; "
                "run the build again, with fewer --jobs"
            ) from error
        raise
    finally:
        executor.shutdown(cancel_futures=True)


_workshops: list[Workshop] = []
"""The one workshop of a worker process, given to it when it starts."""


def _start(workshop: Workshop) -> None:
    # Ctrl-C goes to the whole group, and is the parent's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What was imported before the fork stays for ever: the collector need not look at it again.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _workshops.append(workshop)


def _end_with_parent() -> None:
    """A parent that was killed tells nobody: without this its workers would wait for work for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _make_batch(tasks: list[Task]) -> list[Done]:
    (workshop,) = _workshops
    return [workshop.make(task) for task in tasks]
