"""Instants and spans: what is understood, what is refused in words, and the calendar's corners."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.clock import (
    FIRST,
    LAST,
    Span,
    Validity,
    going_on_from,
    parse_at,
    parse_moment,
    parse_span,
    shift,
    utc_now,
)
from pkigen.errors import InputError

NOW = datetime(2026, 11, 23, 9, 30, 15, 999999, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WHOLE = NOW.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "months", "seconds"),
    [
        ("10y", 120, 0),
        ("6mo", 6, 0),
        ("2w", 0, 14 * 86400),
        ("397d", 0, 397 * 86400),
        ("+397d", 0, 397 * 86400),
        ("-1h", 0, -3600),
        ("30m", 0, 1800),
        ("90s", 0, 90),
        ("1d12h", 0, 36 * 3600),
        ("-1y6mo", -18, 0),
    ],
)
def test_a_duration_has_months_and_seconds(text: str, months: int, seconds: int) -> None:
    assert parse_span(text) == Span(months, seconds, text)


@pytest.mark.parametrize(
    "text", ["", "7", "d", "7 d", "7D", "1.5d", "--1d", "+-1d", "7days", "1d2", "9" * 99]
)
def test_an_invalid_duration_is_rejected_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match="span"):
        parse_span(text)


@pytest.mark.parametrize(
    ("start", "text", "expected"),
    [
        ((2024, 2, 29), "1y", (2025, 2, 28)),
        ((2024, 2, 29), "4y", (2028, 2, 29)),
        ((2026, 1, 31), "1mo", (2026, 2, 28)),
        ((2026, 3, 31), "-1mo", (2026, 2, 28)),
        ((2026, 1, 15), "-1mo", (2025, 12, 15)),
        ((2026, 12, 31), "1d", (2027, 1, 1)),
    ],
)
def test_months_and_years_are_those_of_the_calendar(
    start: tuple[int, int, int], text: str, expected: tuple[int, int, int]
) -> None:
    assert shift(datetime(*start, tzinfo=UTC), parse_span(text)) == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9000y", "-100y", "999999999d", "-999999999w", "999999999y999999999mo"])
def test_a_duration_beyond_the_calendar_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="years 1950 to 9999"):
        shift(WHOLE, parse_span(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31 12:00:05.75", datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)),
        ("2026-01-31T12:00+02:00", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("+40d", WHOLE + timedelta(days=40)),
        ("-1h", WHOLE - timedelta(hours=1)),
    ],
)
def test_at_accepts_iso_times_and_durations(text: str, expected: datetime) -> None:
    assert parse_at(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-13-01",
        "31.01.2026",
        "1949-12-31",
        "0001-01-01T00:00+23:59",
        "9999-12-31T23:59:59-05:00",
        "2026-02-30",
        "+99999y",
    ],
)
def test_at_rejects_invalid_times_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+ \w+ \w+"):
        parse_at(text, NOW)


def test_a_time_without_a_zone_is_in_utc_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse_moment("2026-01-31T12:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_first_and_the_last_time_are_accepted() -> None:
    assert shift(FIRST, parse_span("0s")) == FIRST
    assert shift(LAST, parse_span("0s")) == LAST
    with pytest.raises(ValueError, match="outside the years"):
        shift(FIRST, parse_span("-1s"))


def test_a_running_clock_starts_at_its_time_and_advances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkigen.clock.time.monotonic", lambda: 100.0)
    now = going_on_from(NOW)
    assert now() == NOW
    monkeypatch.setattr("pkigen.clock.time.monotonic", lambda: 130.5)
    assert now() == NOW + timedelta(seconds=30.5)
    assert utc_now().tzinfo is UTC


def test_a_validity_is_whole_seconds_of_utc_around_the_clock() -> None:
    validity = Validity(parse_moment("-1h"), None, parse_span("397d"), "397d")
    start, end = validity.resolve(NOW)
    assert (start, end) == (WHOLE - timedelta(hours=1), WHOLE + timedelta(days=397, hours=-1))
    assert start.utcoffset() == timedelta(0)


def test_a_validity_can_have_a_fixed_start_and_a_relative_end() -> None:
    validity = Validity(parse_moment("2026-01-01"), parse_moment("+1y"), None, "")
    assert validity.resolve(NOW) == (datetime(2026, 1, 1, tzinfo=UTC), WHOLE.replace(year=2027))


def test_a_validity_beyond_the_calendar_is_an_error_without_overflow() -> None:
    with pytest.raises((ValueError, InputError), match="years 1950 to 9999"):
        Validity(parse_moment("-1h"), None, parse_span("8000y"), "8000y").resolve(NOW)


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        shift(WHOLE, parse_span(text))
    with suppress(ValueError):
        assert parse_at(text, NOW).tzinfo is UTC


@given(
    st.integers(-300_000_000, 200_000_000_000).map(lambda seconds: EPOCH + timedelta(seconds=seconds)),
    st.integers(-120, 1200),
    st.sampled_from(["y", "mo", "w", "d", "h", "m", "s"]),
)
def test_a_longer_duration_never_leads_to_an_earlier_time(instant: datetime, count: int, unit: str) -> None:
    def moved(number: int) -> datetime | None:
        try:
            return shift(instant, parse_span(f"{number:+}{unit}"))
        except ValueError:
            return None

    less, more = moved(count), moved(count + 1)
    if less is not None and more is not None:
        assert less <= more
