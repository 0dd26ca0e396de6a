"""The lab's clock, and the token that cancels every wait when the lab stops."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pkigen.clock import Span, later, shift, utc_now

Result = TypeVar("Result")


class CancelToken:
    """Cancels all waits when the lab stops. Every wait for a peer uses ``wait_for``."""

    def __init__(self) -> None:
        self._come = Future[None]()

    @property
    def is_cancelled(self) -> bool:
        """Whether the lab stops."""
        return self._come.done()

    def cancel(self) -> None:
        """Cancel all waits; may be called more than once."""
        if not self.is_cancelled:
            self._come.set_result(None)

    def wait_for(self, awaited: Future[Result], seconds: float) -> Result:
        """Return the result of ``awaited``; TimeoutError after a number of seconds, or when the lab stops."""
        either: tuple[Future[Any], ...] = (awaited, self._come)
        wait(either, seconds, FIRST_COMPLETED)
        if not awaited.done():
            raise TimeoutError
        return awaited.result()


_SMALLEST_JUMP = timedelta(seconds=5)


class LabClock:
    """A clock that returns the time in UTC when called; it can be moved forward and reset."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead
        self._looked = utc_now()

    def __call__(self) -> datetime:
        """Return the current time of the lab."""
        return later(utc_now(), self.ahead.total_seconds())

    def move(self, span: Span) -> None:
        """Move the clock forward; ValueError for a negative span or a date out of range."""
        now = self()
        moved = shift(now, span)
        if moved < now:
            raise ValueError(
                f"'{span.text}' would move the clock backward; the clock can only move forward or be reset"
            )
        self.ahead += moved - now

    def reset(self) -> None:
        """Reset the clock to the machine's time."""
        self.ahead = timedelta()

    def jump_since_last_call(self) -> timedelta | None:
        """Return how far the machine's clock has jumped since the last call, zero for a normal step.

        Called about twice a second: more than five seconds, or one second back, mean that the machine was
        suspended or its clock was set.
        """
        before, self._looked = self._looked, utc_now()
        gone = self._looked - before
        return None if timedelta(seconds=-1) < gone < _SMALLEST_JUMP else gone
