"""The cases that a profile will have once it is built, with their expected verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import count

from pkigen.environment.manifest.verdicts import verdict_without_fault
from pkigen.faults import FAULTS
from pkigen.model import Entity, Fault
from pkigen.plan import plan
from pkigen.plan.path_expectations import PathDefect, PathExpectations
from pkigen.profile import Profile


@dataclass(frozen=True, slots=True)
class ExpectedCase:
    """A case: its name, its expected verdict (accept, reject or varies), its faults as FAMILY/ID.

    ``stage`` is the step of the validation that rejects it, if any. The family of a violated requirement
    is the name of its set.
    """

    name: str
    expected: str
    stage: str | None
    faults: tuple[str, ...]

    def has(self, pattern: str) -> bool:
        """Return whether a fault matches an id, a glob of FAMILY/ID, or ``all``."""
        return any(
            pattern in ("all", fault.partition("/")[2]) or fnmatchcase(fault, pattern)
            for fault in self.faults
        )


def expected_cases(profile: Profile, clock: datetime) -> tuple[ExpectedCase, ...]:
    """Return the cases of a profile in order, as a build at ``clock`` (UTC) would issue them.

    Does not include revocations and faults that commands added. Raises InputError.
    """
    serials = count(1)
    planned = plan(profile, clock, lambda *_: next(serials))
    paths = PathExpectations(planned.authorities, planned.clock)
    revoked = {entity.id for entity in planned.authorities if entity.revocation is not None}
    tests = planned.rejecting_tests()
    return tuple(
        ExpectedCase(
            entity.name,
            *_verdict(entity, planned.clock, revoked, paths.defect(entity), tests.get(entity.name)),
            tuple(_fault_names(entity.fault)),
        )
        for entity in planned.certificates()
    )


def _verdict(
    entity: Entity,
    clock: datetime,
    revoked_authorities: set[str],
    defect: PathDefect | None,
    rejecting_test: str | None,
) -> tuple[str, str | None]:
    """Return expected verdict and stage, as the manifest writer computes them."""
    main, fault = entity.certificates[0], entity.fault
    self_signed = main.issuer_id == entity.id
    if fault is not None and fault.stage is not None:
        untrusted = self_signed and not (entity.trust or entity.issuers)
        if fault.expected == "reject" or not (untrusted or defect):
            return fault.expected, fault.stage
    verdict = verdict_without_fault(
        self_signed=self_signed,
        orphan=False,
        times=(main.not_before, main.not_after),
        now=clock,
        defect=defect,
        revocation_reason=None if entity.revocation is None else entity.revocation.reason,
        revoked_ancestor=next((name for name in entity.issuers if name in revoked_authorities), None),
        rejecting_test=rejecting_test,
    )
    return verdict.expected, verdict.stage


def _fault_names(fault: Fault | None) -> Iterator[str]:
    if fault is None:
        return
    if fault.against:
        yield f"{fault.against}/{fault.id}"
        return
    for fault_id in fault.id.split("+"):
        yield f"{FAULTS[fault_id].family}/{fault_id}"
