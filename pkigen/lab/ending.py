"""The end of a lab, which comes at once, whoever is just waited for."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Any, TypeVar

Result = TypeVar("Result")


class Ending:
    """Whether the lab ends. Whoever waits for somebody else waits here, and no longer than until then."""

    def __init__(self) -> None:
        self._come = Future[None]()

    @property
    def is_here(self) -> bool:
        """Whether it has come."""
        return self._come.done()

    def come(self) -> None:
        """End. Once is enough."""
        if not self.is_here:
            self._come.set_result(None)

    def result_of(self, awaited: Future[Result], seconds: float) -> Result:
        """What ``awaited`` gives; TimeoutError when it does not within so many seconds, or at the end."""
        either: tuple[Future[Any], ...] = (awaited, self._come)
        wait(either, seconds, FIRST_COMPLETED)
        if not awaited.done():
            raise TimeoutError
        return awaited.result()
