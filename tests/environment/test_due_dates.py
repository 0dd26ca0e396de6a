"""The time until which a build that changes nothing stays one: the first date that a later build compares."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pkigen.clock import parse_span
from pkigen.environment.build.due_dates import DueDates
from pkigen.model import CrlPart, CrlPlan, Entity, OcspPlan
from pkigen.plan import plan
from pkigen.profile import load
from pkigen.requirements.document import RequirementSet

CLOCK = datetime(2026, 3, 10, 12, tzinfo=UTC)
NOW = int(CLOCK.timestamp())
MIDNIGHT = NOW + 12 * 3600
HOUR = 3600


def authority(valid: object = None) -> tuple[Entity, DueDates]:
    root = {"key": "ec-p256", "valid": valid or {"from": "0s", "for": "9d"}}
    document = {"name": "x", "authorities": {"root": root}}
    planned = plan(load(document), CLOCK, lambda *_: 1)
    return planned.authorities[0], DueDates(CLOCK, planned.fixed_times)


def first(due: DueDates, begins: tuple[int, ...] = (), ends: tuple[int, ...] = ()) -> int:
    result = due.first_after_clock([NOW + one for one in begins], [NOW + one for one in ends])
    assert result is not None
    return result - NOW


def test_without_any_date_it_is_the_next_day() -> None:
    assert first(DueDates(CLOCK, frozenset())) == MIDNIGHT - NOW


@pytest.mark.parametrize(
    ("begins", "ends", "expected"),
    [
        ((7200,), (), 7200),
        ((), (7200,), 7199),
        ((0,), (), 12 * HOUR),  # what begins at the clock has begun
        ((), (0,), 1),  # what ends at the clock is expired a second later
        ((), (1,), 1),
        ((-5,), (-5,), 12 * HOUR),
    ],
)
def test_recorded_times(begins: tuple[int, ...], ends: tuple[int, ...], expected: int) -> None:
    assert first(DueDates(CLOCK, frozenset()), begins, ends) == expected


def test_the_renewal_period_counts_before_the_end() -> None:
    entity, due = authority()
    due.add_entity(replace(entity, renew_before=HOUR, crl=None))
    assert first(due, ends=(3 * HOUR,)) == 2 * HOUR - 1


def test_a_quarter_of_the_lifetime_of_a_crl_counts_before_its_end() -> None:
    entity, due = authority()
    due.add_entity(replace(entity, crl=CrlPlan(8 * HOUR, "http://x")))
    assert first(due, begins=(0,), ends=(8 * HOUR,)) == 6 * HOUR - 1


def test_three_quarters_of_the_lifetime_of_a_delta_crl_count_after_its_begin() -> None:
    entity, due = authority()
    due.add_entity(replace(entity, crl=CrlPlan(8 * 86400, "http://x", parts=(CrlPart("d", delta=4 * HOUR),))))
    assert first(due, begins=(0,), ends=(8 * 86400,)) == 3 * HOUR


def test_a_quarter_of_the_lifetime_of_an_ocsp_response_counts_before_its_end() -> None:
    entity, due = authority()
    due.add_entity(replace(entity, crl=None, ocsp=OcspPlan("http://x", lifetime=8 * HOUR)))
    assert first(due, ends=(8 * HOUR,)) == 6 * HOUR - 1


def test_a_date_in_the_profile_counts() -> None:
    entity, due = authority({"from": "2026-01-01", "to": "2026-03-10T15:00Z"})
    due.add_entity(entity)
    assert first(due) == 3 * HOUR - 1


def test_planned_times_relative_to_the_clock_are_no_dates() -> None:
    entity, due = authority({"from": "-1h", "for": "2h"})
    due.add_entity(replace(entity, crl=None, renew_before=0))
    # An hour before the clock it is another day one hour later; an hour after it, one hour earlier.
    assert first(due) == 11 * HOUR


@pytest.mark.parametrize(
    ("demand", "expected"),
    [
        ({"maximum": [{"until": "2026-03-10T14:00", "is": "9d"}, {"is": "8d"}]}, 2 * HOUR - 1),
        ({"ends_before": "2026-03-19T15:00"}, 3 * HOUR - 1),  # the planned end is 9 days after the clock
    ],
)
def test_a_date_in_a_requirement_set_counts(demand: dict[str, object], expected: int) -> None:
    entity, due = authority()
    due.add_entity(replace(entity, crl=None, renew_before=0))
    due.add_document(requirement_set(demand))
    assert first(due) == expected


def test_the_remaining_time_that_a_requirement_set_demands_counts_before_the_end() -> None:
    due = DueDates(CLOCK, frozenset())
    due.add_document([requirement_set({"remaining": "5h"})])
    assert first(due, ends=(9 * HOUR,)) == 4 * HOUR - 1


def requirement_set(demand: dict[str, object]) -> RequirementSet:
    requirement = {"id": "one", "says": "A rule.", "level": "rejected", "demand": {"validity": demand}}
    source = {"title": "this test", "date": "2026"}
    document = {"name": "x", "title": "A set", "source": source, "requirements": [requirement]}
    return RequirementSet.model_validate(document)


def test_too_many_spans_have_no_date() -> None:
    due = DueDates(CLOCK, frozenset())
    due.add_document([timedelta(hours=number) for number in range(150)])
    assert due.first_after_clock((), ()) is None


def test_spans_of_months_count() -> None:
    due = DueDates(CLOCK, frozenset({CLOCK + timedelta(days=31, hours=2)}))
    due.add_document({"length": parse_span("1mo")})
    assert first(due) == 2 * HOUR - 1
