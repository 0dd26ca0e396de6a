"""Issues many entities in parallel, in threads or worker processes, with bounded memory."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing.connection import wait
from typing import TypeVar

from pkigen.environment.build.issuance import IssuanceTask, IssuanceWorker, IssuedEntity
from pkigen.errors import EnvironmentFailure
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import KeysAhead

_COLLECT_AFTER = 50_000


class ProcessPool:
    """Makes batches in other processes."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor

    def submit(self, batch: list[IssuanceTask]) -> Future[list[IssuedEntity]]:
        """Make a batch when a worker is free."""
        return self._executor.submit(_make_batch, batch)


@contextmanager
def process_pool(workshop: IssuanceWorker, count: int) -> Iterator[ProcessPool]:
    """``count`` processes, forked where that is sound; killed when the block ends by an exception.

    EnvironmentFailure when one of them was ended from outside.
    """
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(count, context, _start, (workshop,))
    try:
        yield ProcessPool(executor)
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


_workshops: list[IssuanceWorker] = []
"""The one workshop of a worker process, given to it when it starts."""


def _start(workshop: IssuanceWorker) -> None:
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


def _make_batch(tasks: list[IssuanceTask]) -> list[IssuedEntity]:
    (workshop,) = _workshops
    return [workshop.make(task) for task in tasks]


Item = TypeVar("Item")

_BATCH = 256
_FEW = 16
_AHEAD = 4
_MANY = 300
_MANY_SEEDED_RSA = 6


class IssuancePipeline:
    """Makes tasks with ``jobs`` workers; new keys come from ``keys`` where they were announced."""

    def __init__(self, workshop: IssuanceWorker, keys: KeysAhead, jobs: int) -> None:
        self._workshop = workshop
        self._keys = keys
        self._jobs = jobs

    def announce(self, tasks: Iterable[IssuanceTask]) -> None:
        """Start on the keys of tasks that will be made later, in this order."""
        for task in tasks:
            if _needs_key(task):
                self._keys.announce(task.entity.id, task.entity.key)

    def make_one(self, task: IssuanceTask) -> IssuedEntity:
        """Make one entity, from the key that was generated ahead if there is one."""
        key = self._keys.take(task.entity.id, task.entity.key) if _needs_key(task) else None
        return self._workshop.make(task, key)

    def make(self, tasks: Iterator[IssuanceTask]) -> Generator[Sequence[IssuedEntity], None, None]:
        """Make all tasks in order, batch by batch; no more than a few batches are under way.

        To be closed: what works on the next ones ends with it.
        """
        head = list(islice(tasks, _MANY))
        tasks = chain(head, tasks)
        takes_long = self._workshop.keys.takes_long
        slow = sum(_needs_key(task) and takes_long(parse_kind(task.entity.key)) for task in head)
        if self._workshop.keys.pure_python:
            in_processes = len(head) >= _MANY or slow >= _MANY_SEEDED_RSA
        else:
            in_processes = len(head) >= _MANY and slow * 2 < len(head)
        if in_processes and self._jobs > 1:
            return self._make_in_processes(tasks, _BATCH if not slow else 1)
        return self._make_here(tasks)

    def _make_here(self, tasks: Iterator[IssuanceTask]) -> Generator[Sequence[IssuedEntity], None, None]:
        for batch in _ahead(_batches(tasks, _FEW), _AHEAD, self.announce):
            yield [self.make_one(task) for task in batch]

    def _make_in_processes(
        self, tasks: Iterator[IssuanceTask], size: int
    ) -> Generator[Sequence[IssuedEntity], None, None]:
        # A fork copies the locks of threads and no thread.
        self._keys.end()
        with process_pool(self._workshop, self._jobs) as processes:
            running: deque[Future[list[IssuedEntity]]] = deque()
            for batch in _batches(tasks, size):
                running.append(processes.submit(batch))
                if len(running) > self._jobs * 2:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()


def _needs_key(task: IssuanceTask) -> bool:
    return task.key is None and task.entity.brought is None and not task.entity.key_of


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch


def _ahead(items: Iterator[Item], distance: int, announce: Callable[[Item], None]) -> Iterator[Item]:
    """The items, each announced ``distance`` items before it comes."""
    waiting: deque[Item] = deque()
    for item in items:
        announce(item)
        waiting.append(item)
        if len(waiting) > distance:
            yield waiting.popleft()
    yield from waiting
