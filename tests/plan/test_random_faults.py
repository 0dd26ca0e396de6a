"""Faults that are chosen at random for one certificate."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from pkigen.errors import InputError
from pkigen.faults import FAULTS, FaultRequest, composed
from pkigen.plan.random_faults import planned_case, random_faults
from pkigen.profile import load
from tests.faults.conftest import PROFILE

CASE = planned_case(load(PROFILE), "sensor", datetime(2026, 11, 1, tzinfo=UTC))


def test_a_seed_gives_the_same_faults_again() -> None:
    one, again, other = (random_faults(CASE, 3, Random(seed)) for seed in ("7", "7", "8"))
    assert one == again != other
    assert len({fault.type.id for fault in one}) == 3


def test_the_faults_fit_together() -> None:
    for seed in range(3):
        composed(CASE, random_faults(CASE, 4, Random(seed)))


@pytest.mark.parametrize("apart", [("serial-zero", "serial-negative"), ("version-v1-leaf", "ext-oid-huge")])
def test_faults_that_do_not_fit_are_passed_over(apart: tuple[str, str]) -> None:
    """They change the same field, or version 1 has no extensions that the other fault could change."""
    with pytest.raises(InputError, match="no 2 faults fit together"):
        random_faults(CASE, 2, Random(1), [FaultRequest(FAULTS[one]) for one in apart])


def test_an_unknown_certificate_is_an_error() -> None:
    with pytest.raises(InputError, match="no certificate 'nobody'"):
        planned_case(load(PROFILE), "nobody", datetime(2026, 11, 1, tzinfo=UTC))
