"""Connections made anew, on their schedule and whenever something has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from pkigen.errors import EnvironmentFailure
from pkigen.lab.links import Link

_WORKERS = 8
_LONGEST_SLEEP = 0.5


class Schedule:
    """``links`` every ``interval`` seconds. ``tick`` is called between two looks, about twice a second.

    What ``tick`` cannot do at the moment (EnvironmentFailure) is told, and tried again the next time.
    """

    def __init__(
        self,
        links: Sequence[Link],
        interval: float,
        tick: Callable[[], None],
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._links = links
        self._interval = interval
        self._tick = tick
        self._tell = tell
        self._told = ""
        self._wake = threading.Event()
        self._turn = threading.Condition()
        self._ended = False
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="pkigen-link")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the block is left; what is under way then is waited for."""
        thread = threading.Thread(target=self._run, name="pkigen-schedule", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended = True
            self._wake.set()
            thread.join()
            self._pool.shutdown(cancel_futures=True)
            self._tick()

    def soon(self, links: Iterable[Link] | None = None) -> None:
        """Try these, or all, as soon as may be."""
        for link in self._links if links is None else links:
            link.due = 0.0
        self._wake.set()

    def now(self, links: Iterable[Link]) -> None:
        """Try these, and return when each has been."""
        list(self._pool.map(self._check, links))

    def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until something holds, looked at after each attempt of any link; whether it does."""
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
            for link in self._links:
                if link.due <= now and not link.busy:
                    link.busy, link.due = True, now + self._interval
                    self._pool.submit(self._scheduled, link)
            self._patiently_tick()
            # One that is under way says itself when it is to be tried again.
            following = min((link.due for link in self._links if not link.busy), default=now + _LONGEST_SLEEP)
            self._wake.wait(max(0.01, min(_LONGEST_SLEEP, following - now)))
            self._wake.clear()

    def _patiently_tick(self) -> None:
        try:
            self._tick()
            self._told = ""
        except EnvironmentFailure as error:
            if str(error) != self._told:
                self._told = str(error)
                self._tell(f"What the lab keeps cannot be written, and is tried again: {error}")

    def _scheduled(self, link: Link) -> None:
        try:
            self._check(link)
        finally:
            link.busy = False
            if link.due == 0.0:
                self._wake.set()

    def _check(self, link: Link) -> None:
        link.check()
        with self._turn:
            self._turn.notify_all()
