"""Checks connections periodically and after every change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from pkigen.errors import EnvironmentFailure
from pkigen.lab.connections.connection import Connection

_LONGEST_SLEEP = 0.5
_SHORTEST_SLEEP = 0.01
# Number of concurrent attempts, not counting slow ones: those wait for a peer that hangs, and must not delay
# the others.
_AT_ONCE = 8
_BRISK_SECONDS = 0.2
_MOST_THREADS = 256
_MOST_ON_DEMAND = 32


class ConnectionScheduler:
    """Checks ``links`` every ``interval`` seconds, and calls ``tick`` about twice a second.

    Peers that hang delay other connections by at most n / 8 x 0.2 seconds for n such peers the first time,
    and not later, because slow connections are checked last.

    An EnvironmentFailure of ``tick`` is reported once, and ``tick`` is retried.
    """

    def __init__(
        self,
        connections: Sequence[Connection],
        interval: float,
        tick: Callable[[], None],
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._links = connections
        self._interval = interval
        self._tick = tick
        self._log_state_change = tell
        self._reported = ""
        self._next_tick = 0.0
        self._wake = threading.Event()
        self._turn = threading.Condition()
        self._ended = False
        self._begun = dict[str, float]()
        self._slow = set[str]()
        self._pool = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="pkigen-link")
        self._on_demand = ThreadPoolExecutor(_MOST_ON_DEMAND, thread_name_prefix="pkigen-link-now")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run for the duration of the block, and then wait for running attempts."""
        thread = threading.Thread(target=self._run, name="pkigen-schedule", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended = True
            self._wake.set()
            thread.join()
            for pool in (self._pool, self._on_demand):
                pool.shutdown(cancel_futures=True)
            self._tick()

    def check_soon(self, connections: Iterable[Connection] | None = None) -> None:
        """Check these connections, or all, as soon as possible."""
        for connection in self._links if connections is None else connections:
            connection.due = 0.0
        self._wake.set()

    def now(self, connections: Iterable[Connection]) -> None:
        """Check these connections, and return when all are done."""
        list(self._on_demand.map(self._check, connections))

    def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition holds, evaluated after each attempt; return whether it does."""
        deadline = time.monotonic() + seconds
        with self._turn:
            while not holds():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._turn.wait(min(left, _LONGEST_SLEEP))
            return True

    def _run(self) -> None:
        while not self._ended:
            now = time.monotonic()
            some_wait = self._start_due(now)
            if self._next_tick <= now:
                self._tick_with_retry()
                self._next_tick = now + _LONGEST_SLEEP
            # A running attempt schedules its own next check.
            following = min(
                (connection.due for connection in self._links if not connection.busy), default=self._next_tick
            )
            if some_wait:
                following = now + _BRISK_SECONDS
            self._wake.wait(max(_SHORTEST_SLEEP, min(self._next_tick, following) - time.monotonic()))
            self._wake.clear()

    def _tick_with_retry(self) -> None:
        try:
            self._tick()
            self._reported = ""
        except EnvironmentFailure as error:
            if str(error) != self._reported:
                self._reported = str(error)
                self._log_state_change(f"cannot save the state of the lab; retrying: {error}")

    def _start_due(self, now: float) -> bool:
        """Start due attempts while there are free slots; return whether some must wait."""
        due = [connection for connection in self._links if connection.due <= now and not connection.busy]
        due.sort(key=lambda connection: connection.id in self._slow)
        brisk = sum(now - begun < _BRISK_SECONDS for begun in tuple(self._begun.values()))
        for connection in due:
            most = _MOST_THREADS - _AT_ONCE if connection.id in self._slow else _MOST_THREADS
            if brisk >= _AT_ONCE or len(self._begun) >= most:
                return True
            brisk += 1
            connection.busy, connection.due = True, now + self._interval
            self._begun[connection.id] = now
            self._pool.submit(self._scheduled, connection)
        return False

    def _scheduled(self, connection: Connection) -> None:
        try:
            self._check(connection)
        finally:
            took = time.monotonic() - self._begun.pop(connection.id)
            (self._slow.add if took > _BRISK_SECONDS else self._slow.discard)(connection.id)
            connection.busy = False
            self._wake.set()

    def _check(self, connection: Connection) -> None:
        connection.check()
        with self._turn:
            self._turn.notify_all()
