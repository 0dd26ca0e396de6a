"""Issues many entities in parallel with bounded memory, in threads or worker processes.

New RSA keys are generated in threads: OpenSSL releases the GIL, and they take nearly all of the time. All
other work is Python code, which only processes can do in parallel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import TypeVar

from pkigen.environment.build.issuance import IssuanceTask, IssuanceWorker, IssuedEntity
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import KeyPrefetcher

Item = TypeVar("Item")

_PROCESS_BATCH = 256
_SLOW_PROCESS_BATCH = 8
"""With some slow keys: few enough to share them evenly among the processes."""
_THREAD_BATCH = 16
_PREFETCHED_BATCHES = 4
_MANY = 300
"""Below this number of entities, starting processes takes longer than they save."""
_MANY_SEEDED_RSA = 6
"""As above, for RSA keys that are derived from a seed, in Python."""


class IssuancePipeline:
    """Issues tasks with ``jobs`` workers; ``keys`` generates keys in advance."""

    def __init__(self, worker: IssuanceWorker, keys: KeyPrefetcher, jobs: int) -> None:
        self._worker = worker
        self._keys = keys
        self._jobs = jobs

    def prefetch_keys(self, tasks: Iterable[IssuanceTask]) -> None:
        """Start to generate the keys of tasks that will be issued later, in this order."""
        for task in tasks:
            if _needs_key(task):
                self._keys.request(task.entity.id, task.entity.key)

    def issue_one(self, task: IssuanceTask) -> IssuedEntity:
        """Issue one entity, with its prefetched key if there is one."""
        key = self._keys.get(task.entity.id, task.entity.key) if _needs_key(task) else None
        return self._worker.issue(task, key)

    def issue(self, tasks: Iterator[IssuanceTask]) -> Generator[Sequence[IssuedEntity], None, None]:
        """Issue all tasks in order, in batches, of which only a few are in memory at a time.

        Close the generator to stop its workers early.
        """
        head = list(islice(tasks, _MANY))
        tasks = chain(head, tasks)
        takes_long = self._worker.keys.takes_long
        slow = sum(_needs_key(task) and takes_long(parse_kind(task.entity.key)) for task in head)
        if self._worker.keys.pure_python:
            in_processes = len(head) >= _MANY or slow >= _MANY_SEEDED_RSA
        else:
            in_processes = len(head) >= _MANY and slow * 2 < len(head)
        if in_processes and self._jobs > 1:
            return self._issue_in_processes(tasks, _SLOW_PROCESS_BATCH if slow else _PROCESS_BATCH)
        return self._issue_in_threads(tasks)

    def _issue_in_threads(
        self, tasks: Iterator[IssuanceTask]
    ) -> Generator[Sequence[IssuedEntity], None, None]:
        prefetched: deque[list[IssuanceTask]] = deque()
        for batch in _batches(tasks, _THREAD_BATCH):
            self.prefetch_keys(batch)
            prefetched.append(batch)
            if len(prefetched) > _PREFETCHED_BATCHES:
                yield [self.issue_one(task) for task in prefetched.popleft()]
        for batch in prefetched:
            yield [self.issue_one(task) for task in batch]

    def _issue_in_processes(
        self, tasks: Iterator[IssuanceTask], size: int
    ) -> Generator[Sequence[IssuedEntity], None, None]:
        # Small builds do without processes, and do not import what starts them.
        from pkigen.environment.build.worker_processes import call_in_processes

        # fork() copies held locks, but not the threads that would release them.
        self._keys.end()
        batches = _batches(tasks, size)
        results = call_in_processes(self._worker.issue_batch, batches, count=self._jobs, ahead=self._jobs * 2)
        with closing(results):
            for _, issued in results:
                yield issued


def _needs_key(task: IssuanceTask) -> bool:
    entity = task.entity
    return task.key is None and entity.imported is None and entity.given is None and not entity.key_of


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch
