"""The validity period: schedules by date of issue, both ends, and the time of signing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from pkigen.asn1 import der, oids
from pkigen.clock import LAST
from pkigen.requirements.demands.validity import ValidityDemand
from pkigen.requirements.schema import json_schema
from tests.requirements.certificate_builder import DAY, NOW, SECOND, Made, extension, name

SCHEDULE = [
    {"until": "2026-03-15", "is": "398d"},
    {"until": "2027-03-15", "is": "200d"},
    {"until": "2029-03-15", "is": "100d"},
    {"is": "47d"},
]


def _outcome(parameters: dict[str, Any], made: Made, **around: Any) -> str:
    outcome = ValidityDemand.model_validate(parameters).check(made.check_input(**around))
    return "undecided" if outcome.undecided else str(outcome.status)


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("issued", "days"),
    [
        (_day("2020-01-01"), 398),
        (_day("2026-03-15") - SECOND, 398),
        (_day("2026-03-15"), 200),
        (_day("2027-03-15") - SECOND, 200),
        (_day("2027-03-15"), 100),
        (_day("2029-03-15") - SECOND, 100),
        (_day("2029-03-15"), 47),
    ],
)
def test_the_date_of_issue_selects_the_longest_period(issued: datetime, days: int) -> None:
    exact = Made(begin=issued, end=issued + timedelta(days=days) - SECOND)
    longer = Made(begin=issued, end=issued + timedelta(days=days))
    assert _outcome({"maximum": SCHEDULE}, exact) == "pass"
    assert _outcome({"maximum": SCHEDULE}, longer) == "fail"


def test_a_period_that_is_one_second_too_long_says_why() -> None:
    made = Made(begin=NOW, end=NOW + 90 * DAY)
    outcome = ValidityDemand.model_validate({"maximum": "90d"}).check(made.check_input())
    assert outcome.actual == "90 days and 1 second"
    assert outcome.expected == "at most 90d, including the second of notAfter (RFC 5280, 4.1.2.5)"


@pytest.mark.parametrize(
    ("parameters", "made", "status"),
    [
        ({"minimum": "30d"}, Made(begin=NOW, end=NOW + 30 * DAY - SECOND), "pass"),
        ({"minimum": "30d"}, Made(begin=NOW, end=NOW + 30 * DAY - 2 * SECOND), "fail"),
        ({"ends_before": "2038-01-19T03:14:08Z"}, Made(end=_day("2038-01-19T03:14:07")), "pass"),
        ({"ends_before": "2038-01-19T03:14:08Z"}, Made(end=_day("2038-01-19T03:14:08")), "fail"),
        ({"no_end": True}, Made(end=LAST), "pass"),
        ({"no_end": True}, Made(end=LAST - SECOND), "fail"),
        ({"no_end": False}, Made(end=LAST), "fail"),
        ({"no_end": False}, Made(end=LAST - SECOND), "pass"),
        ({"remaining": "1d"}, Made(end=NOW + DAY), "pass"),
        ({"remaining": "1d"}, Made(end=NOW + DAY - SECOND), "fail"),
    ],
)
def test_the_ends_of_the_period_at_their_boundaries(
    parameters: dict[str, Any], made: Made, status: str
) -> None:
    assert _outcome(parameters, made) == status


def _issued_by(begin: datetime, end: datetime) -> Any:
    return Made(subject=name(("CN", "CA")), begin=begin, end=end).check_input().certificate


@pytest.mark.parametrize(
    ("begin", "end", "status"),
    [
        (NOW - DAY, NOW + DAY, "pass"),
        (NOW - DAY + SECOND, NOW + DAY, "fail"),
        (NOW - DAY, NOW + DAY - SECOND, "fail"),
    ],
)
def test_the_period_must_be_inside_that_of_the_issuing_ca(
    begin: datetime, end: datetime, status: str
) -> None:
    assert _outcome({"within_issuer": True}, Made(), planned_chain=(_issued_by(begin, end),)) == status


def test_without_the_issuing_ca_its_period_is_undecided() -> None:
    assert _outcome({"within_issuer": True}, Made()) == "undecided"
    late = Made(begin=NOW, end=NOW + 2 * DAY)
    assert _outcome({"within_issuer": True, "maximum": "1d"}, late) == "fail"


def _timestamps(*times: datetime) -> bytes:
    entries = b""
    for at in times:
        sct = bytes(33) + int(at.timestamp() * 1000).to_bytes(8, "big") + bytes(6)
        entries += len(sct).to_bytes(2, "big") + sct
    data = len(entries).to_bytes(2, "big") + entries
    return extension(oids.SIGNED_CERTIFICATE_TIMESTAMPS, der.octet_string(data))


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("parameters", "ago", "planned", "issued"),
    [
        ({"backdated_at_most": "48h"}, 48 * HOUR, "pass", "pass"),
        ({"backdated_at_most": "48h"}, 48 * HOUR + SECOND, "fail", "undecided"),
        ({"backdated_at_least": "1h"}, HOUR, "pass", "undecided"),
        ({"backdated_at_least": "1h"}, HOUR - SECOND, "fail", "fail"),
    ],
)
def test_only_a_plan_shows_exactly_when_it_is_signed(
    parameters: dict[str, Any], ago: timedelta, planned: str, issued: str
) -> None:
    made = Made(begin=NOW - ago)
    assert _outcome(parameters, made, issued=False) == planned
    assert _outcome(parameters, made) == issued
    # A later check knows when the certificate was signed at the latest.
    assert _outcome(parameters, made, now=NOW + 9 * DAY, signed_by=NOW) == issued


@pytest.mark.parametrize(
    ("parameters", "ago", "status"),
    [
        ({"backdated_at_most": "48h"}, 48 * HOUR, "undecided"),
        ({"backdated_at_most": "48h"}, 48 * HOUR + SECOND, "fail"),
        ({"backdated_at_least": "1h"}, HOUR, "pass"),
        ({"backdated_at_least": "1h"}, HOUR - SECOND, "undecided"),
    ],
)
def test_embedded_timestamps_show_that_a_certificate_was_signed_later(
    parameters: dict[str, Any], ago: timedelta, status: str
) -> None:
    made = Made(begin=NOW - ago, extensions=(_timestamps(NOW - 9 * HOUR, NOW),))
    assert _outcome(parameters, made, now=NOW + 9 * DAY) == status


CONTRADICTIONS = [
    ({}, "no condition given; set at least one of begun, not_ended"),
    ({"begun": False}, "no condition given"),
    ({"maximum": []}, "no condition given"),
    ({"maximum": "1d", "minimum": "2d"}, "is more than 'maximum' (1d)"),
    ({"maximum": "1d", "remaining": "25h"}, "'remaining' is more than 'maximum' (1d)"),
    ({"maximum": "1d", "no_end": True}, "'no_end: true' excludes 'maximum' and 'ends_before'"),
    ({"ends_before": "2038-01-19", "no_end": True}, "'no_end: true' excludes"),
    ({"backdated_at_least": "2h", "backdated_at_most": "1h"}, "more than 'backdated_at_most'"),
    ({"backdated_at_most": "1mo"}, "'1mo' varies with the calendar; write days"),
    ({"minimum": "-1d"}, "'-1d' is negative"),
    ({"ends_before": "10y"}, "'10y' is a duration; this must be a date or a time"),
    ({"maximum": [{"is": "1d"}, {"is": "2d"}]}, "each 'maximum' but the last one needs 'until'"),
    ({"maximum": [{"until": "2027-01-01", "is": "1d"}]}, "the last one has none"),
    (
        {"maximum": [{"until": "2027-01-01", "is": "2d"}, {"until": "2026-01-01", "is": "1d"}, {"is": "1h"}]},
        "each 'until' must be later than the one before it",
    ),
]


@pytest.mark.parametrize(("parameters", "words"), CONTRADICTIONS)
def test_contradictory_fields_are_rejected(parameters: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ValidityDemand.model_validate(parameters)
    assert words in str(caught.value)


@pytest.mark.parametrize("maximum", ["398d", SCHEDULE])
def test_the_json_schema_accepts_a_duration_and_a_schedule(maximum: Any) -> None:
    schema = json_schema()
    demand = {"validity": {"maximum": maximum}}
    check = jsonschema.Draft202012Validator({"$ref": "#/$defs/Demand", "$defs": schema["$defs"]})
    assert check.is_valid(demand)
    assert not check.is_valid({"validity": {"maximum": [{"until": "2027-01-01", "iss": "1d"}]}})
