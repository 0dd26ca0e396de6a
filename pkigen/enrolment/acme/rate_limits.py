"""Limits on how often accounts and orders are created, and how often validations fail."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from pkigen.enrolment.acme.problems import Problem

_MOST_KEYS = 10_000


class RateLimit:
    """At most ``most`` events per key in ``seconds``, in memory; the least recently used keys are forgotten.

    A key that is not used regains its events at a constant rate (token bucket).
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._lock = Lock()
        self._used = OrderedDict[str, tuple[float, float]]()

    def count(self, key: str) -> None:
        """Count an event."""
        with self._lock:
            used = self._current(key) + 1
            self._used.pop(key, None)
            self._used[key] = (min(used, self._most + 1.0), self._clock())
            if len(self._used) > _MOST_KEYS:
                self._used.popitem(last=False)

    def check(self, key: str, what: str) -> None:
        """Raise Problem (rateLimited, with Retry-After) if there were too many events."""
        with self._lock:
            excess = self._current(key) - self._most + 1
        if excess > 0:
            text = f"too many {what}: at most {self._most} in {self._seconds / 60:g} minutes"
            wait = math.ceil(excess * self._seconds / self._most)
            raise Problem("rateLimited", text, headers={"Retry-After": str(wait)})

    def _current(self, key: str) -> float:
        used, at = self._used.get(key, (0.0, 0.0))
        return max(0.0, used - (self._clock() - at) * self._most / self._seconds)


class RateLimits:
    """The limits of a directory: generous for tests, and small enough that a client in a loop meets them."""

    def __init__(self) -> None:
        self.accounts = RateLimit(1000, 600)
        self.orders = RateLimit(3000, 600)
        self.failures = RateLimit(100, 600)
