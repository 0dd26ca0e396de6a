"""Open transactions of a protocol in memory: bounded in number and time."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

LIFE_SECONDS = 300.0
"""After this time a transaction is forgotten; a certificate that was issued in it stays valid."""
MOST_TRANSACTIONS = 1000
T = TypeVar("T")


class Transactions(Generic[T]):
    """Transactions by their identifiers: the oldest one is forgotten if there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._open = OrderedDict[bytes, tuple[float, T]]()

    def get(self, identifier: bytes) -> T | None:
        """Return an open transaction."""
        with self._lock:
            self._forget()
            pair = self._open.get(identifier)
            return None if pair is None else pair[1]

    def add(self, identifier: bytes, transaction: T) -> bool:
        """Open a transaction; False if the identifier is in use."""
        with self._lock:
            self._forget()
            if identifier in self._open:
                return False
            self._open[identifier] = (self._clock() + LIFE_SECONDS, transaction)
            return True

    def take(self, identifier: bytes) -> T | None:
        """Close a transaction, and return it if it was open."""
        with self._lock:
            self._forget()
            pair = self._open.pop(identifier, None)
            return None if pair is None else pair[1]

    def _forget(self) -> None:
        now = self._clock()
        while self._open:
            identifier, (end, _) = next(iter(self._open.items()))
            if end > now and len(self._open) < MOST_TRANSACTIONS:
                return
            del self._open[identifier]
