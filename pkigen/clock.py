"""Times and durations in the syntax of profiles: ``397d``, ``-1h``, ``2026-11-01T12:00Z``."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FIRST, LAST = datetime(1950, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The range of times that every validity period can express (RFC 5280, 4.1.2.5)."""

_SECONDS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}
_MONTHS = {"y": 12, "mo": 1}
_PART = re.compile(r"([0-9]{1,18})(mo|[ywdhms])")
_SPAN = re.compile(rf"[+-]?({_PART.pattern})+")


@dataclass(frozen=True, slots=True)
class Span:
    """A signed duration; years and months are calendar units. ``text`` is the original text."""

    months: int
    seconds: int
    text: str


Moment = Span | datetime
"""A time: relative to the build clock, or absolute (UTC)."""


@dataclass(frozen=True, slots=True)
class Validity:
    """A validity period with exactly one of ``end`` and ``length``; ``text`` is the original text."""

    start: Moment
    end: Moment | None
    length: Span | None
    text: str

    def resolve(self, now: datetime) -> tuple[datetime, datetime]:
        """Return not_before and not_after in UTC, whole seconds; raise ValueError outside FIRST and LAST."""
        start = resolve_moment(self.start, now)
        if self.length is not None:
            return start, shift(start, self.length)
        assert self.end is not None
        return start, resolve_moment(self.end, now)


def parse_span(text: str) -> Span:
    """Parse a duration such as ``10y``, ``-90s`` or ``1d12h``; raise ValueError that explains the syntax."""
    if not _SPAN.fullmatch(text):
        raise ValueError(f"'{text}' is not a span of time: a number with y, mo, w, d, h, m or s")
    sign = -1 if text.startswith("-") else 1
    months = seconds = 0
    for match in _PART.finditer(text):
        count, unit = int(match[1]), match[2]
        months += sign * count * _MONTHS.get(unit, 0)
        seconds += sign * count * _SECONDS.get(unit, 0)
    return Span(months, seconds, text)


def parse_moment(text: str) -> Moment:
    """Parse a duration relative to the build clock, or an ISO 8601 date or time (default: UTC)."""
    if _SPAN.fullmatch(text):
        return parse_span(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"'{text}' is neither a time relative to now (+397d, -1h) nor ISO 8601 (2026-11-01T12:00Z)"
        ) from None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    try:
        return _bounded(aware.astimezone(UTC).replace(microsecond=0))
    except OverflowError:
        raise ValueError(f"'{text}' is outside the years {FIRST.year} to {LAST.year}") from None


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def later(instant: datetime, seconds: float) -> datetime:
    """Return a time that is a number of seconds later, but not after the end of the year 9999.

    No certificate, CRL or OCSP response can express a later time.
    """
    return instant + min(timedelta(seconds=seconds), LAST - instant)


def going_on_from(instant: datetime) -> Callable[[], datetime]:
    """Return a clock that starts at ``instant`` now and advances in real time, up to LAST."""
    begun = time.monotonic()
    return lambda: later(instant, time.monotonic() - begun)


def parse_at(text: str, now: datetime) -> datetime:
    """Return the time in the argument of ``--at``; raise ValueError that explains the error."""
    return resolve_moment(parse_moment(text), now)


def resolve_moment(moment: Moment, now: datetime) -> datetime:
    """Return the time of a moment relative to a clock, in whole seconds."""
    return moment if isinstance(moment, datetime) else shift(now.replace(microsecond=0), moment)


def shift(instant: datetime, span: Span) -> datetime:
    """Add a duration to a time; the 31st becomes the last day of a shorter month."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + span.months, 12)
    try:
        day = min(instant.day, calendar.monthrange(date(year, month + 1, 1).year, month + 1)[1])
        moved = instant.replace(year=year, month=month + 1, day=day)
        return _bounded(moved + timedelta(seconds=span.seconds))
    except (ValueError, OverflowError):
        raise ValueError(f"'{span.text}' leads outside the years {FIRST.year} to {LAST.year}") from None


def _bounded(instant: datetime) -> datetime:
    if not FIRST <= instant <= LAST:
        raise ValueError(f"{instant:%Y-%m-%d} is outside the years {FIRST.year} to {LAST.year}")
    return instant
