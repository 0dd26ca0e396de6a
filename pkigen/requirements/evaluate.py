"""A requirement set held against what was presented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pkigen.requirements.demand import Needs
from pkigen.requirements.document import Requirement, RequirementSet
from pkigen.requirements.outcome import Outcome, Status, failed, not_applicable
from pkigen.requirements.subject import Presented
from pkigen.x509 import Certificate, Malformed


@dataclass(frozen=True, slots=True)
class Finding:
    """What one requirement says: of which set, and how it came out.

    ``subject`` is the certificate of an authority when the requirement is about one, else None.
    """

    set: RequirementSet
    requirement: Requirement
    outcome: Outcome
    subject: Certificate | None = None

    @property
    def failed(self) -> bool:
        """Whether the demand is broken."""
        return self.outcome.status is Status.FAIL


def findings(against: RequirementSet, shown: Presented) -> Iterator[Finding]:
    """One finding for each requirement, in the set's order."""
    for requirement in against.requirements:
        yield _finding(against, requirement, shown)


def _finding(against: RequirementSet, requirement: Requirement, shown: Presented) -> Finding:
    if requirement.when == "validation" and not shown.validation:
        outcome = not_applicable("the appliance does not validate certificates")
        return Finding(against, requirement, outcome)
    if shown.requested and not requirement.demand.of_requests:
        return Finding(against, requirement, not_applicable("a request does not settle it"))
    if requirement.demand.needs is Needs.ISSUED and not shown.issued:
        return Finding(against, requirement, not_applicable("it is not issued yet"))
    if requirement.of == "certificate":
        return Finding(against, requirement, _checked(requirement, shown))
    authorities = shown.path if requirement.of == "authorities" else shown.path[:1]
    if not authorities:
        return Finding(against, requirement, not_applicable("no certificate of an authority was given"))
    return _worst(against, requirement, shown, authorities)


def _worst(
    against: RequirementSet,
    requirement: Requirement,
    shown: Presented,
    authorities: tuple[Certificate, ...],
) -> Finding:
    """The finding of the first authority that breaks the demand, else of the first that holds it."""
    found = [
        Finding(against, requirement, _checked(requirement, shown.of_authority(one)), one)
        for one in authorities
    ]
    held = [finding for finding in found if finding.outcome.status is Status.PASS]
    return next((finding for finding in found if finding.failed), (held or found)[0])


def _checked(requirement: Requirement, shown: Presented) -> Outcome:
    try:
        outcome = requirement.demand.check(shown)
    except Malformed as error:
        return failed("malformed", "something that can be read", str(error), requirement.demand.blame)
    if outcome.status is Status.FAIL and not outcome.blame:
        return replace(outcome, blame=requirement.demand.blame)
    return outcome
