"""Issues many entities in parallel with bounded memory, in threads or worker processes.

New RSA keys are generated in threads: OpenSSL releases the GIL, and they take nearly all of the time. All
other work is Python code, which only processes can do in parallel.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from pkigen.environment.build.issuance import IssuanceTask, IssuanceWorker, IssuedEntity
from pkigen.errors import EnvironmentFailure
from pkigen.keys.kinds import parse_kind
from pkigen.keys.sources import KeyPrefetcher

# Small builds do without processes, and import what starts them not at all.
if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Item = TypeVar("Item")

_COLLECT_AFTER = 500_000
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
        # fork() copies held locks but not the threads that would release them.
        self._keys.end()
        with process_pool(self._worker, self._jobs) as pool:
            running: deque[Future[list[IssuedEntity]]] = deque()
            for batch in _batches(tasks, size):
                running.append(pool.submit(_issue_batch, batch))
                if len(running) > self._jobs * 2:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()


def _needs_key(task: IssuanceTask) -> bool:
    entity = task.entity
    return task.key is None and entity.imported is None and entity.given is None and not entity.key_of


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch


@contextmanager
def process_pool(worker: object, count: int) -> Iterator[ProcessPoolExecutor]:
    """Run ``count`` worker processes; kill them if the block raises.

    Each has a ``worker``, which ``worker_of_process`` returns there.
    Raises EnvironmentFailure if one of them was killed from outside.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    # Only fork shares the imported modules; elsewhere it is unsafe or unavailable.
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    others = set(multiprocessing.active_children())
    executor = ProcessPoolExecutor(count, context, _initialize, (worker,))
    try:
        yield executor
    except BaseException as error:
        # The executor would finish its queue first, and wait forever if it was itself interrupted.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()
        if isinstance(error, BrokenProcessPool):
            raise EnvironmentFailure(
                "a worker process was killed, possibly because the system ran out of memory; "
                "run the build again with fewer --jobs"
            ) from error
        raise
    finally:
        executor.shutdown(cancel_futures=True)


_workers: list[Any] = []
"""The worker of a worker process, set when it starts."""


def worker_of_process() -> Any:
    """Return the worker of this worker process."""
    (worker,) = _workers
    return worker


def _initialize(worker: object) -> None:
    # Ctrl-C signals the whole process group; the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Objects that were imported before the fork are never freed: exclude them from collections.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    _workers.append(worker)


def _exit_with_parent() -> None:
    """Exit when the parent dies; otherwise orphaned workers would block forever."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _issue_batch(tasks: list[IssuanceTask]) -> list[IssuedEntity]:
    worker: IssuanceWorker = worker_of_process()
    return worker.issue_batch(tasks)
