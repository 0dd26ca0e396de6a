"""Validity periods as bars: the scale for several certificates, its axis, and the bar of each one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WIDTH = 420
"""Width of the axis, in pixels."""
_ARROW = 8.0
"""Space at an end for the arrow of a bar that continues beyond it."""
_MOST_TICKS = 7
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000)
_LEAST = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Tick:
    """A labeled position of the axis, in pixels."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A validity period in pixels; ``before`` and ``after``: it continues beyond the axis.

    ``revoked`` is the position of a revocation, if there is one.
    """

    x: float
    width: float
    before: bool
    after: bool
    revoked: float | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """The period that an axis shows."""

    start: datetime
    end: datetime

    def place(self, at: datetime) -> float:
        """Return the position of a time in pixels, clamped to the axis."""
        share = (at - self.start) / (self.end - self.start)
        return round(min(max(share, 0.0), 1.0) * WIDTH, 1)

    def bar(self, not_before: datetime, not_after: datetime, revoked: datetime | None = None) -> Bar:
        """Return the bar of a validity period; an inverted period has the minimum width."""
        before, after = not_before < self.start, not_after > self.end
        x = max(self.place(not_before), _ARROW if before else 0.0)
        end = min(self.place(not_after), WIDTH - _ARROW if after else WIDTH)
        return Bar(
            x,
            round(max(end - x, 1.5), 1),
            before=before,
            after=after,
            revoked=None if revoked is None else self.place(revoked),
        )

    def ticks(self) -> tuple[Tick, ...]:
        """Return the starts of years or months, at most a readable number."""
        months = (self.end - self.start).days / 30.4
        step = next((step for step in _MONTHS if months / step <= _MOST_TICKS), _MONTHS[-1])
        ticks = (
            Tick(self.place(at), f"{at:%Y}" if step >= 12 else f"{at:%Y-%m}") for at in self._steps(step)
        )
        return tuple(tick for tick in ticks if 14 < tick.x < WIDTH - 14)

    def _steps(self, months: int) -> Iterator[datetime]:
        number = (self.start.year * 12 + self.start.month - 1) // months * months
        while True:
            year, month = divmod(number, 12)
            if not 1 <= year <= 9999:
                return
            at = datetime(year, month + 1, 1, tzinfo=UTC)
            if at > self.end:
                return
            yield at
            number += months


def scale_of(periods: Iterable[tuple[datetime, datetime]], *instants: datetime) -> Scale:
    """A scale on which all periods and instants are, with some room at both ends."""
    times = [at for period in periods for at in period] + list(instants)
    start, end = min(times), max(times)
    room = max((end - start) / 25, _LEAST)
    return Scale(_moved(start, -room), _moved(end, room))


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return at + by
    except OverflowError:
        return at
