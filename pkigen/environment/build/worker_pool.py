"""Many entities made at once: how the cores are kept busy, with bounded memory.

Two shapes. Where generating the key is nearly all of the work (fresh RSA keys, for which the GIL is
released), threads generate keys ahead of the one that does the rest. Where the work is many small
steps in Python (EC keys, pooled keys, RSA from a seed), processes take batches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import chain, islice
from typing import TypeVar

from pkigen.environment.build.issuance import Done, Task, Workshop
from pkigen.environment.workers import workers
from pkigen.keys.ahead import KeysAhead
from pkigen.keys.kinds import parse_kind

Item = TypeVar("Item")

_BATCH = 256
_FEW = 16
_AHEAD = 4
_MANY = 300
_MANY_SEEDED_RSA = 6


class Pipeline:
    """Makes tasks with ``jobs`` workers; new keys come from ``keys`` where they were announced."""

    def __init__(self, workshop: Workshop, keys: KeysAhead, jobs: int) -> None:
        self._workshop = workshop
        self._keys = keys
        self._jobs = jobs

    def announce(self, tasks: Iterable[Task]) -> None:
        """Start on the keys of tasks that will be made later, in this order."""
        for task in tasks:
            if _needs_key(task):
                self._keys.announce(task.entity.id, task.entity.key)

    def make_one(self, task: Task) -> Done:
        """Make one entity, from the key that was generated ahead if there is one."""
        key = self._keys.take(task.entity.id, task.entity.key) if _needs_key(task) else None
        return self._workshop.make(task, key)

    def make(self, tasks: Iterator[Task]) -> Generator[Sequence[Done], None, None]:
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

    def _make_here(self, tasks: Iterator[Task]) -> Generator[Sequence[Done], None, None]:
        for batch in _ahead(_batches(tasks, _FEW), _AHEAD, self.announce):
            yield [self.make_one(task) for task in batch]

    def _make_in_processes(self, tasks: Iterator[Task], size: int) -> Generator[Sequence[Done], None, None]:
        # A fork copies the locks of threads and no thread.
        self._keys.end()
        with workers(self._workshop, self._jobs) as processes:
            running: deque[Future[list[Done]]] = deque()
            for batch in _batches(tasks, size):
                running.append(processes.submit(batch))
                if len(running) > self._jobs * 2:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()


def _needs_key(task: Task) -> bool:
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
