"""A sample case without a fault to demonstrate faults: the appliance of the shipped profile ``negative``."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from pkigen.faults import Case
from pkigen.plan.crl_distribution import CRL_LIFE
from pkigen.plan.entities import Planner
from pkigen.profile import Profile, load

_PROFILE = "negative"


@lru_cache(maxsize=4)
def sample_case(clock: datetime) -> Case:
    """Return the end entity with its issuing CA and its root, as planned at a time (UTC)."""
    return case_of(load(_PROFILE), clock)


def case_of(profile: Profile, clock: datetime) -> Case:
    """Return the first end entity of a profile with its authorities, as planned at a time (UTC)."""
    planner = Planner(profile, clock.replace(microsecond=0), lambda *_: 1, CRL_LIFE)
    entity = next(planner.certificates())
    above = {authority.id: authority for authority in planner.authorities}
    return Case(entity, tuple(above[issuer] for issuer in entity.issuers), planner.clock, entity)
