"""Profile -> Plan: applies defaults, computes absolute times, and draws serial numbers; signs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from pkigen.clock import Span
from pkigen.errors import Problem
from pkigen.model import Entity
from pkigen.plan.cases import cases_of
from pkigen.plan.compliance import own_sets, sets_named
from pkigen.plan.crl_distribution import CRL_LIFE
from pkigen.plan.entities import Planner, Serials
from pkigen.plan.fleets import FleetPlan, fleet_plans
from pkigen.plan.service_faults import PlannedServing, serving_of
from pkigen.profile import PathTest, Profile
from pkigen.x509 import CertificateList

if TYPE_CHECKING:
    from pkigen.plan.negatives import SkippedCase
    from pkigen.requirements import RequirementSet

__all__ = ["CRL_LIFE", "Plan", "Serials", "plan"]

_CACHE_LIMIT = 1_000
"""The largest number of end entities that a plan keeps in memory."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One environment, with every value explicit.

    ``authorities`` lists issuers before the CAs that they issue. ``certificates()`` yields the end entities
    one by one, in the profile's order and followed by the negative cases, and can be called again;
    ``count`` is their number. ``cases`` are the cases with a fault, ``passed`` the skipped negative cases
    with their reasons. ``sets`` are the requirement sets that cases are checked against: the profile's
    sets, and the sets that cases violate. ``own_sets`` are the sets of single entities, by entity id:
    the name of each set by its reference.
    ``serving`` lists the intentional errors of the service for authorities without a fault. ``path_tests``
    are those of the profile. ``warnings`` are values that are valid but probably not intended.
    ``previous_crls`` are the CRLs that imported authorities published elsewhere, by entity id.
    ``fleets`` are certificates in shards; ``certificates()`` and ``count`` do not contain them.
    ``fixed_times`` are the times of certificates that the profile states as dates; they are complete when all
    certificates are planned.
    """

    name: str
    base_url: str
    requirements: tuple[str, ...]
    clock: datetime
    authorities: tuple[Entity, ...]
    count: int
    cases: tuple[Entity, ...]
    passed: tuple[SkippedCase, ...]
    sets: tuple[RequirementSet, ...]
    own_sets: Mapping[str, Mapping[str, str]]
    serving: tuple[PlannedServing, ...]
    path_tests: tuple[PathTest, ...]
    warnings: tuple[Problem, ...]
    previous_crls: Mapping[str, CertificateList]
    fleets: tuple[FleetPlan, ...]
    fixed_times: Set[datetime]
    certificates: Callable[[], Iterator[Entity]] = field(repr=False)

    def rejecting_tests(self) -> dict[str, str]:
        """Return the ids of the path tests that reject a certificate without any settings, by its name."""
        rejecting = (one for one in self.path_tests if one.expect == "reject" and one.has_default_settings)
        return {test.certificate: test.id for test in rejecting}


def plan(profile: Profile, clock: datetime, serials: Serials | None, crl_life: Span = CRL_LIFE) -> Plan:
    """Return the plan of a profile at a time (UTC); raise InputError for problems that only planning detects.

    ``serials`` is None if the plan is only checked: every serial number is then 1, and specifications have no
    digest. ``crl_life`` is the default lifetime of CRLs.
    """
    planner = Planner(profile, clock.replace(microsecond=0), serials, crl_life)
    cases = cases_of(profile, planner)
    serving = serving_of(profile, planner)
    return Plan(
        profile.name,
        profile.base_url,
        tuple(map(str, profile.requirements)),
        planner.clock,
        (*planner.authorities, *cases.authorities),
        profile.count + len(cases.certificates),
        cases.entities,
        cases.passed,
        sets_named(profile) if cases.entities else (),
        {
            entity: {text: one.name for text, one in sets.items()}
            for entity, sets in own_sets(profile).items()
        },
        serving,
        profile.path_tests,
        tuple(planner.warnings),
        planner.previous_crls,
        fleet_plans(profile, planner),
        planner.fixed_times,
        _PlannedOnce(lambda: cases.among(planner.certificates()), profile.count + len(cases.certificates)),
    )


class _PlannedOnce:
    """Plans the end entities in the first pass and keeps them, unless there are too many.

    A build makes several passes: it reports all problems before it writes anything. Planning ten thousand
    certificates again takes less than keeping them in memory.
    """

    def __init__(self, plan_entities: Callable[[], Iterator[Entity]], count: int) -> None:
        self._plan_entities = plan_entities
        self._is_small = count <= _CACHE_LIMIT
        self._entities: tuple[Entity, ...] | None = None

    def __call__(self) -> Iterator[Entity]:
        if self._entities is None and self._is_small:
            self._entities = tuple(self._plan_entities())
        return self._plan_entities() if self._entities is None else iter(self._entities)
