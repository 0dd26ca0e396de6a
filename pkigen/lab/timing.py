"""The lab's clock, and the token that cancels every wait when the lab stops."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pkigen.clock import Span, shift, utc_now

Result = TypeVar("Result")


class CancelToken:
    """Cancels all waits when the lab stops. Every wait for a peer uses ``wait_for``."""

    def __init__(self) -> None:
        self._come = Future[None]()

    @property
    def is_cancelled(self) -> bool:
        """Whether it has come."""
        return self._come.done()

    def cancel(self) -> None:
        """End. Once is enough."""
        if not self.is_cancelled:
            self._come.set_result(None)

    def wait_for(self, awaited: Future[Result], seconds: float) -> Result:
        """What ``awaited`` gives; TimeoutError when it does not within so many seconds, or at the end."""
        either: tuple[Future[Any], ...] = (awaited, self._come)
        wait(either, seconds, FIRST_COMPLETED)
        if not awaited.done():
            raise TimeoutError
        return awaited.result()


_SMALLEST_JUMP = timedelta(seconds=5)


class LabClock:
    """Calling it gives the instant, in UTC. It can be moved forward, and put right again."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead
        self._looked = utc_now()

    def __call__(self) -> datetime:
        """What the lab takes for now."""
        return utc_now() + self.ahead

    def move(self, span: Span) -> None:
        """Let time pass; ValueError for a span that leads back, or out of the calendar."""
        now = self()
        moved = shift(now, span)
        if moved < now:
            raise ValueError(
                f"'{span.text}' would move the clock backward; the clock can only move forward or be reset"
            )
        self.ahead += moved - now

    def reset(self) -> None:
        """Show the machine's time again."""
        self.ahead = timedelta()

    def jump_since_last_call(self) -> timedelta | None:
        """How far the machine's clock is from where it was at the last call, if it is not just a bit later.

        Asked about twice a second: more than five seconds, or one back, say that the machine slept or
        that its clock was set.
        """
        before, self._looked = self._looked, utc_now()
        gone = self._looked - before
        return None if timedelta(seconds=-1) < gone < _SMALLEST_JUMP else gone
