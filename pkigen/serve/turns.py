"""What is looked up on the disk once in a turn of the event loop, for all requests of that turn."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Generic, TypeVar

from pkigen.serve.cases import Addresses, Watched

T = TypeVar("T")


class OfThisTurn(Generic[T]):
    """Values by a key, forgotten before the next turn's requests are read.

    A look at the disk that another request of the same turn has made is never too early for this one:
    whatever runs before they are forgotten was put in line before the look was made, so that its request
    had arrived by then. Outside an event loop nothing is remembered.
    """

    def __init__(self) -> None:
        self._values = dict[bytes, T]()

    def get(self, key: bytes) -> T | None:
        """The value, if this turn has one."""
        return self._values.get(key)

    def put(self, key: bytes, value: T) -> None:
        """Remember a value for the rest of this turn."""
        if not self._values:
            try:
                asyncio.get_running_loop().call_soon(self._values.clear)
            except RuntimeError:
                return
        self._values[key] = value


class WatchedByTurns(Watched):
    """A manifest that is looked at once in a turn."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._of_this_turn = OfThisTurn[Addresses]()

    @property
    def now(self) -> Addresses:
        """The addresses."""
        found = self._of_this_turn.get(b"")
        if found is None:
            found = super().now
            self._of_this_turn.put(b"", found)
        return found
