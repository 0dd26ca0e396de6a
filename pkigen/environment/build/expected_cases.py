"""The cases that a profile will have, before anything is built: their names, and what to expect of them."""

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
from pkigen.profile import Profile


@dataclass(frozen=True, slots=True)
class ExpectedCase:
    """A case: its name, its verdict (``accept``, ``reject``, ``varies``), its faults as FAMILY/ID.

    ``stage`` is where the verdict shows, if anywhere. The family of what breaks a requirement set is the
    set's name.
    """

    name: str
    expected: str
    stage: str | None
    faults: tuple[str, ...]

    def has(self, pattern: str) -> bool:
        """Whether one of its faults is meant by an id, by a glob of FAMILY/ID, or by ``all``."""
        return any(
            pattern in ("all", one.partition("/")[2]) or fnmatchcase(one, pattern) for one in self.faults
        )


def expected_cases(profile: Profile, clock: datetime) -> tuple[ExpectedCase, ...]:
    """The cases of a profile in its order, as a build at ``clock`` (UTC) would make them.

    What has been revoked or broken by command since is not known here. Raises InputError.
    """
    serials = count(1)
    planned = plan(profile, clock, lambda *_: next(serials))
    fallen = {entity.id for entity in planned.authorities if entity.revocation is not None}
    return tuple(
        ExpectedCase(entity.name, *_verdict(entity, planned.clock, fallen), tuple(_faults(entity.fault)))
        for entity in planned.certificates()
    )


def _verdict(entity: Entity, clock: datetime, fallen: set[str]) -> tuple[str, str | None]:
    """As the manifest will have it."""
    main, fault = entity.certificates[0], entity.fault
    self_signed = main.issuer_id == entity.id
    if fault is not None and fault.stage is not None:
        alone = self_signed and not (entity.trust or entity.issuers) and fault.expected != "reject"
        if not alone:
            return fault.expected, fault.stage
    revoked = None if entity.revocation is None else {"reason": entity.revocation.reason}
    verdict = verdict_without_fault(
        self_signed=self_signed,
        orphan=False,
        times=(main.not_before, main.not_after),
        now=clock,
        revoked=revoked,
        fallen=next((name for name in entity.issuers if name in fallen), None),
    )
    return verdict["expected"], verdict["stage"]


def _faults(fault: Fault | None) -> Iterator[str]:
    if fault is None:
        return
    if fault.against:
        yield f"{fault.against}/{fault.id}"
        return
    for one in fault.id.split("+"):
        yield f"{FAULTS[one].family}/{one}"
