"""The lab's clock: this machine's, and some time ahead when somebody has let it run."""

from __future__ import annotations

from datetime import datetime, timedelta

from pkigen.clock import Span, shift, utc_now

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
            raise ValueError(f"'{span.text}' leads back; the clock only runs forward, or is put right")
        self.ahead += moved - now

    def put_right(self) -> None:
        """Show the machine's time again."""
        self.ahead = timedelta()

    def jumped(self) -> timedelta | None:
        """How far the machine's clock is from where it was at the last call, if it is not just a bit later.

        Asked about twice a second: more than five seconds, or one back, say that the machine slept or
        that its clock was set.
        """
        before, self._looked = self._looked, utc_now()
        gone = self._looked - before
        return None if timedelta(seconds=-1) < gone < _SMALLEST_JUMP else gone
