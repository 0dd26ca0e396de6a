"""Limits on how often clients request certificates, and on how often their authentication fails."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any

from starlette.exceptions import HTTPException

_MOST_KEYS = 10_000


class RateLimited(HTTPException):
    """A request that comes too soon: 429 with Retry-After (RFC 6585, 4)."""

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__(429, detail, {"Retry-After": str(seconds)})


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
        """Raise RateLimited if there were too many events."""
        with self._lock:
            excess = self._current(key) - self._most + 1
        if excess > 0:
            text = f"too many {what}: at most {self._most} in {self._seconds / 60:g} minutes"
            raise RateLimited(text, math.ceil(excess * self._seconds / self._most))

    def _current(self, key: str) -> float:
        used, at = self._used.get(key, (0.0, 0.0))
        return max(0.0, used - (self._clock() - at) * self._most / self._seconds)


class ClientLimits:
    """The limits of a template of EST, SCEP or CMP; clients are known by the address of their connection.

    ``scope`` is that of the HTTP request. Each method raises RateLimited if there were too many events.
    """

    def __init__(self) -> None:
        self._requests = RateLimit(3000, 600)
        self._failures = RateLimit(100, 600)

    def count_request(self, scope: Mapping[str, Any]) -> None:
        """Count a request for a certificate."""
        for client in _clients(scope):
            self._requests.check(client, "requests for certificates")
            self._requests.count(client)

    def check_failures(self, scope: Mapping[str, Any]) -> None:
        """Refuse a client whose authentication failed too often, so that it cannot guess a secret."""
        for client in _clients(scope):
            self._failures.check(client, "failed authentications")

    def count_failure(self, scope: Mapping[str, Any]) -> None:
        """Count a failed authentication."""
        for client in _clients(scope):
            self._failures.count(client)


def _clients(scope: Mapping[str, Any]) -> list[str]:
    """Return the address of the client of a request; none for a message that did not come over HTTP."""
    client = scope.get("client")
    return [str(client[0])] if client else []
