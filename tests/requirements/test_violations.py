"""Generated combinations of conditions: every violation of a demand violates this demand alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkigen.cases.case import Case, Impossible
from pkigen.model import Entity
from pkigen.plan.compliance import placeholder
from pkigen.plan.sample import case_of
from pkigen.profile import load
from pkigen.requirements import CheckInput, RequirementSet, findings
from pkigen.x509 import Certificate

CLOCK = datetime(2026, 11, 1, 12, tzinfo=UTC)
BACKDATED, LENGTH = timedelta(hours=1), timedelta(days=90, seconds=1)


@lru_cache(maxsize=1)
def base() -> Case:
    """A certificate of 90 days, backdated by an hour, below two authorities that began in 2020."""
    return case_of(
        load(
            {
                "name": "values",
                "base_url": "http://pki.example.test",
                "defaults": {"key": "rsa-2048"},
                "authorities": {
                    "root": {"subject": {"CN": "Root"}, "valid": {"from": "2020-01-01", "for": "30y"}},
                    "issuing": {
                        "issuer": "root",
                        "subject": {"CN": "Issuing"},
                        "valid": {"from": "2020-01-01", "for": "20y"},
                    },
                },
                "certificates": {
                    "sensor": {
                        "issuer": "issuing",
                        "subject": {"CN": "sensor.example.test"},
                        "valid": {"from": "-1h", "for": "90d"},
                    }
                },
            }
        ),
        CLOCK,
    )


def as_input(case: Case) -> CheckInput:
    """Return the planned certificates of a case, with placeholders for keys and signatures."""
    entities = {one.id: one for one in (case.entity, *case.authorities)}

    def certificate(entity: Entity) -> Certificate:
        plan = entity.certificates[0]
        return placeholder(plan, entity.key, entities[plan.issuer_id].key)

    return CheckInput(
        now=case.clock,
        certificate=certificate(case.entity),
        planned_chain=tuple(map(certificate, case.authorities)),
        issued=False,
    )


def requirements(demands: dict[str, dict[str, Any]]) -> RequirementSet:
    """Return a set with one requirement for each kind of demand."""
    return RequirementSet.model_validate(
        {
            "name": "values",
            "title": "Values",
            "source": {"title": "Values", "date": "2026"},
            "requirements": [
                {
                    "id": kind.replace("_", "-"),
                    "demand": {kind: parameters},
                    "level": "unsupported",
                    "section": "1",
                    "says": "It holds.",
                }
                for kind, parameters in demands.items()
            ],
        }
    )


def violated(against: RequirementSet, case: Case) -> set[str]:
    """Return the kinds of demand that a case violates."""
    return {one.requirement.kind for one in findings(against, as_input(case)) if one.failed}


def cases(against: RequirementSet) -> Iterator[tuple[str, str, Case]]:
    """Yield the kind and the variant of every violation that is possible, with its case."""
    for requirement in against.requirements:
        for violation in requirement.demand.violations():
            with suppress(Impossible):
                yield requirement.kind, violation.variant, violation.apply(base())


def _span(least: timedelta, most: timedelta) -> st.SearchStrategy[str]:
    return st.integers(int(least.total_seconds()), int(most.total_seconds())).map("{}s".format)


def _schedule(limits: list[str], dates: list[str]) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = [
        {"until": until, "is": limit} for until, limit in zip(dates, limits, strict=False)
    ]
    return [*parts, {"is": limits[len(dates)]}]


_LIMIT = _span(LENGTH, 5 * LENGTH)
_DATES = ["2024-01-01", "2026-08-01", "2026-11-01T12:00:00Z", "2026-11-01T12:00:01Z", "2029-03-15"]
_SCHEDULE = st.builds(
    _schedule,
    st.lists(_LIMIT, min_size=6, max_size=6),
    st.lists(st.sampled_from(_DATES), unique=True).map(sorted),
)
VALIDITY = st.fixed_dictionaries(
    {"well_formed": st.just("true")},
    optional={
        "begun": st.just("true"),
        "not_ended": st.just("true"),
        "in_order": st.just("true"),
        "maximum": _LIMIT | _SCHEDULE,
        "minimum": _span(timedelta(), LENGTH),
        "backdated_at_least": _span(timedelta(), BACKDATED),
        "backdated_at_most": _span(BACKDATED, 9 * LENGTH),
        "ends_before": st.sampled_from(["2027-02-01", "2038-01-19T03:14:08Z", "2050-01-01"]),
        "no_end": st.just("false"),
        "remaining": _span(timedelta(), LENGTH - BACKDATED - timedelta(seconds=1)),
        "within_issuer": st.just("true"),
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.fixed_dictionaries({"validity": VALIDITY}))
def test_every_violation_violates_its_demand_alone(demands: dict[str, dict[str, Any]]) -> None:
    against = requirements(demands)
    assert violated(against, base()) == set()
    for kind, variant, case in cases(against):
        assert violated(against, case) == {kind}, (kind, variant)


def _variants(kind: str, parameters: dict[str, Any]) -> set[str]:
    """Return the variants of the violations of a demand that the base can have."""
    return {variant for _, variant, _ in cases(requirements({kind: parameters}))}


def test_each_limit_that_has_applied_by_the_time_of_the_build_becomes_a_case() -> None:
    schedule = [{"until": "2026-03-15", "is": "398d"}, {"until": "2027-03-15", "is": "200d"}, {"is": "100d"}]
    variants = _variants("validity", {"maximum": schedule})
    assert variants == {"too-long", "too-long-from-2026-03-15", "late-2026-03-15"}


def test_what_is_inside_the_issuer_is_violated_at_both_ends() -> None:
    assert _variants("validity", {"within_issuer": "true"}) == {"after-issuer", "before-issuer"}
