"""The lab's clock: this machine's, and some time ahead when somebody has let it run."""

from __future__ import annotations

from datetime import datetime, timedelta

from pkigen.clock import Span, shift, utc_now


class LabClock:
    """Calling it gives the instant, in UTC. It can be moved forward, and put right again."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

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
