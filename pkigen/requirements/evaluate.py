"""Evaluates a requirement set for one certificate: findings, and the appliance's verdict at upload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pkigen.requirements.demand import Needs
from pkigen.requirements.document import Level, Requirement, RequirementSet
from pkigen.requirements.outcome import Outcome, Status, failed, not_applicable
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, Malformed

_OF_ANY_CERTIFICATE = ("key_file", "chain_file", "certification_path", "revocation", "crl")
"""Kinds of demand that apply to CA certificates, too: about other files, the path and revocation."""


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


def findings(against: RequirementSet, subject: CheckInput) -> Iterator[Finding]:
    """One finding for each requirement, in the set's order."""
    for requirement in against.requirements:
        yield _finding(against, requirement, subject)


def _finding(against: RequirementSet, requirement: Requirement, subject: CheckInput) -> Finding:
    if requirement.when == "validation" and not subject.validation:
        outcome = not_applicable("the appliance does not validate certificates")
        return Finding(against, requirement, outcome)
    if subject.requested and not requirement.demand.of_requests:
        return Finding(against, requirement, not_applicable("a request does not settle it"))
    if requirement.demand.needs is Needs.ISSUED and not subject.issued:
        return Finding(against, requirement, not_applicable("it is not issued yet"))
    if subject.authority and requirement.of == "certificate" and requirement.kind not in _OF_ANY_CERTIFICATE:
        return Finding(against, requirement, not_applicable("it applies to end-entity certificates"))
    own = requirement.of in ("certificate", "all") or (subject.authority and requirement.of == "authorities")
    every = [Finding(against, requirement, _checked(requirement, subject))] if own else []
    if requirement.of != "certificate":
        end = 1 if requirement.of == "issuing-authority" else None
        for authority, data in subject.inputs_of_path[:end]:
            every.append(Finding(against, requirement, _checked(requirement, data), authority))
    if not every:
        return Finding(against, requirement, not_applicable("no CA certificate was given"))
    failures = (finding for finding in every if finding.failed)
    passes = (finding for finding in every if finding.outcome.status is Status.PASS)
    return next(failures, None) or next(passes, every[0])


def _checked(requirement: Requirement, subject: CheckInput) -> Outcome:
    try:
        outcome = requirement.demand.check(subject)
    except Malformed as error:
        return failed("malformed", "something that can be read", str(error), requirement.demand.blame)
    if outcome.status is Status.FAIL and not outcome.blame:
        return replace(outcome, blame=requirement.demand.blame)
    return outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one appliance; ``unsupported`` counts broken demands that it does not refuse for.

    ``undecided`` are the ids of those that it would refuse for, and that could not be judged.
    """

    set: RequirementSet
    accepted: bool
    messages: tuple[str, ...]
    unsupported: int
    undecided: tuple[str, ...] = ()


def verdict(against: RequirementSet, findings: Iterable[Finding], *, readable: bool = True) -> Verdict:
    """The verdict that follows from a set's findings; what cannot be read at all is refused."""
    every = tuple(findings)
    broken = [found.requirement for found in every if found.failed]
    unknown = (found for found in every if found.outcome.undecided)
    open_ = tuple(f.requirement.id for f in unknown if f.requirement.level is Level.REJECTED)
    refusing = [found for found in broken if found.level is Level.REJECTED]
    messages = [against.message_of(found) for found in refusing]
    if not readable:
        messages.append(against.otherwise)
    unsupported = sum(found.level is Level.UNSUPPORTED for found in broken)
    return Verdict(against, not messages, tuple(dict.fromkeys(messages)), unsupported, open_)
