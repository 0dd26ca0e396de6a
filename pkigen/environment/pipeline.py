"""Many entities made at once: how the cores are kept busy, with bounded memory.

Two shapes. Where generating the key is nearly all of the work (fresh RSA keys, for which the GIL is
released), threads generate keys ahead of the one that does the rest. Where the work is many small
steps in Python (EC keys, pooled keys, RSA from a seed), processes take batches.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import chain, islice
from typing import TypeVar

from pkigen.environment.work import Done, Task, Workshop
from pkigen.keys import PrivateKey
from pkigen.keys.kinds import parse_kind

Item = TypeVar("Item")

_BATCH = 256
_FEW = 16
_COLLECT_AFTER = 50_000
_AHEAD = 4
_MANY = 300
_MANY_SEEDED_RSA = 6


def available_jobs() -> int:
    """How many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pipeline:
    """Makes tasks with ``jobs`` workers; a context manager, whose end is theirs."""

    def __init__(self, workshop: Workshop, jobs: int) -> None:
        self._workshop = workshop
        self._jobs = jobs
        self._threads: ThreadPoolExecutor | None = None
        self._keys: dict[str, Future[PrivateKey]] = {}

    def __enter__(self) -> Pipeline:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_threads()

    def generate_ahead(self, tasks: Iterable[Task]) -> None:
        """Start on the keys of tasks that will be made later, in this order."""
        for task in tasks:
            if self._is_slow(task) and not self._workshop.keys.pure_python:
                if self._threads is None:
                    self._threads = ThreadPoolExecutor(self._jobs, "key")
                kind, owner = parse_kind(task.entity.key), task.entity.id
                if owner not in self._keys:
                    future = self._threads.submit(self._workshop.keys.generate, kind, owner)
                    self._keys[owner] = future

    def make_one(self, task: Task) -> Done:
        """Make one entity, from the key that was generated ahead if there is one."""
        future = self._keys.pop(task.entity.id, None)
        return self._workshop.make(task, future.result() if future else None)

    def make(self, tasks: Iterator[Task]) -> Iterator[Sequence[Done]]:
        """Make all tasks in order, batch by batch; no more than a few batches are under way."""
        head = list(islice(tasks, _MANY))
        tasks = chain(head, tasks)
        slow = sum(map(self._is_slow, head))
        if self._workshop.keys.pure_python:
            in_processes = len(head) >= _MANY or slow >= _MANY_SEEDED_RSA
        else:
            in_processes = len(head) >= _MANY and slow * 2 < len(head)
        if in_processes and self._jobs > 1:
            return self._make_in_processes(tasks, _BATCH if not slow else 1)
        return self._make_here(tasks)

    def _make_here(self, tasks: Iterator[Task]) -> Iterator[Sequence[Done]]:
        for batch in _ahead(_batches(tasks, _FEW), _AHEAD, self.generate_ahead):
            yield [self.make_one(task) for task in batch]

    def _make_in_processes(self, tasks: Iterator[Task], size: int) -> Iterator[Sequence[Done]]:
        self._end_threads()
        method = "fork" if sys.platform == "linux" else "spawn"
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(self._jobs, context, _start_worker, (self._workshop,)) as processes:
            running: deque[Future[list[Done]]] = deque()
            for batch in _batches(tasks, size):
                running.append(processes.submit(_make_batch, batch))
                if len(running) > self._jobs * 2:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()

    def _is_slow(self, task: Task) -> bool:
        return task.key is None and task.entity.brought is None and parse_kind(task.entity.key).slow

    def _end_threads(self) -> None:
        """Before processes are forked, too: a fork copies the locks of threads but no thread."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None


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


_workshops: list[Workshop] = []
"""The one workshop of a worker process, given to it when it starts."""


def _start_worker(workshop: Workshop) -> None:
    # What was imported before the fork stays for ever: the collector need not look at it again.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    _workshops.append(workshop)


def _make_batch(tasks: list[Task]) -> list[Done]:
    (workshop,) = _workshops
    return [workshop.make(task) for task in tasks]
