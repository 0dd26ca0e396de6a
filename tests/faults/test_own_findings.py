"""What our own tools find wrong with each fault is what the fault declares: no less, and no more."""

from __future__ import annotations

import pytest

from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from tests.faults.conftest import is_twin
from tests.faults.findings import OwnTools


@pytest.fixture(scope="session")
def own_findings(negative: Environment) -> dict[str, tuple[str, ...]]:
    """The findings of every case of the shipped profile, by the id of its fault."""
    own = OwnTools(negative)
    cases = (case.data for case in negative.cases() if not is_twin(case.name))
    return {case["fault"]["id"] if "fault" in case else "": own.findings(case) for case in cases}


def test_the_certificate_without_a_fault_has_no_finding(own_findings: dict[str, tuple[str, ...]]) -> None:
    assert own_findings[""] == ()


def test_the_profile_builds_every_fault(own_findings: dict[str, tuple[str, ...]]) -> None:
    assert own_findings.keys() >= FAULTS.keys()


@pytest.mark.parametrize("one", FAULTS.values(), ids=lambda one: str(one.id))
def test_a_fault_has_its_declared_findings(one: object, own_findings: dict[str, tuple[str, ...]]) -> None:
    known = FAULTS[str(getattr(one, "id", ""))]
    assert sorted(own_findings[known.id]) == sorted(known.finds)


@pytest.mark.parametrize(
    "one", [one for one in FAULTS.values() if one.verdict == "A"], ids=lambda one: one.id
)
def test_verify_accepts_every_control(one: object, own_findings: dict[str, tuple[str, ...]]) -> None:
    rules = own_findings[str(getattr(one, "id", ""))]
    rejected = any(finding.startswith("path:") for finding in rules)
    assert not rejected
