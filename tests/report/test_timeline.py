"""Bars and axes: in order, within their width, readable from an hour to ten thousand years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkigen.report.timeline import WIDTH, Scale, scale_of

_TIMES = st.integers(-631152000, 253402214400).map(lambda second: datetime.fromtimestamp(second, UTC))
"""From 1950 to 9999."""


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(_TIMES, _TIMES, _TIMES)
def test_bars_and_ticks_are_on_the_axis_in_order(
    first: datetime, second: datetime, outside: datetime
) -> None:
    scale = scale_of([(first, second)], first)
    assert 0 <= scale.place(min(first, second)) <= scale.place(max(first, second)) <= WIDTH
    bar = scale.bar(first, outside)
    assert bar.x >= 0
    assert bar.width > 0
    ticks = scale.ticks()
    places = [tick.x for tick in ticks]
    assert places == sorted(places)
    assert all(later - earlier >= 40 for earlier, later in pairwise(places))


@pytest.mark.parametrize(
    ("start", "end", "labels"),
    [
        ("2026-01-01", "2027-03-01", ["2026-04", "2026-07", "2026-10", "2027-01"]),
        ("2020-06-01", "2041-01-01", ["2025", "2030", "2035", "2040"]),
    ],
)
def test_an_axis_is_labelled_by_months_or_years(start: str, end: str, labels: list[str]) -> None:
    assert [tick.label for tick in Scale(_at(start), _at(end)).ticks()] == labels


def test_a_bar_beyond_the_axis_is_marked() -> None:
    scale = Scale(_at("2026-01-01"), _at("2027-01-01"))
    bar = scale.bar(_at("2000-01-01"), _at("9999-12-31"))
    assert (bar.before, bar.after, bar.x, bar.width) == (True, True, 8.0, WIDTH - 16)
    inside = scale.bar(_at("2026-02-01"), _at("2026-03-01"))
    assert (inside.before, inside.after) == (False, False)


def test_a_revocation_is_at_its_date() -> None:
    start = _at("2026-01-01")
    scale = Scale(start, start + timedelta(days=100))
    assert scale.bar(start, start + timedelta(days=90), start + timedelta(days=50)).revoked == WIDTH / 2
