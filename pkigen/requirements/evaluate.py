"""Evaluates a requirement set for one certificate: findings, and the appliance's verdict at upload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pkigen.requirements.demand import Needs
from pkigen.requirements.document import Level, Requirement, RequirementSet
from pkigen.requirements.outcome import Outcome, Status, failed, not_applicable
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, Malformed

_OF_ANY_CERTIFICATE = {"key_file", "chain_file", "certification_path", "revocation", "crl"}
"""Kinds of demand that apply to CA certificates, too: about other files, the path and revocation."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one requirement.

    ``subject`` is the CA certificate that the finding is about; None if it is the checked certificate.
    """

    set: RequirementSet
    requirement: Requirement
    outcome: Outcome
    subject: Certificate | None = None

    @property
    def failed(self) -> bool:
        """Whether the certificate violates the requirement."""
        return self.outcome.status is Status.FAIL


def findings(against: RequirementSet, subject: CheckInput) -> Iterator[Finding]:
    """Yield one finding for each requirement, in the order of the set."""
    if against.compares_peers:
        subject = replace(subject, set_name=against.declared_name)
    for requirement in against.requirements:
        yield _finding(against, requirement, subject)


def _finding(against: RequirementSet, requirement: Requirement, subject: CheckInput) -> Finding:
    if reason := _inapplicable(against, requirement, subject):
        return Finding(against, requirement, not_applicable(reason))
    if requirement.of == "certificate":
        return Finding(against, requirement, _checked(requirement, subject))
    own = requirement.of == "all" or (subject.authority and requirement.of == "authorities")
    every = [Finding(against, requirement, _checked(requirement, subject))] if own else []
    end = 1 if requirement.of == "issuing-authority" else None
    for authority, data in subject.inputs_of_path[:end]:
        every.append(Finding(against, requirement, _of_ca(against, requirement, data, authority), authority))
    if not every:
        return Finding(against, requirement, not_applicable("no CA certificate was given"))
    failures = (finding for finding in every if finding.failed)
    passes = (finding for finding in every if finding.outcome.status is Status.PASS)
    return next(failures, None) or next(passes, every[0])


def _inapplicable(against: RequirementSet, requirement: Requirement, subject: CheckInput) -> str:
    """Return the reason why a requirement is not checked at all; empty if it is."""
    if reason := against.inactive(requirement):
        return reason
    if subject.requested and not requirement.of_requests:
        return "a certification request does not determine it"
    if requirement.needs is Needs.ISSUED and not subject.issued:
        return "the certificate is not issued yet"
    if not subject.authority or requirement.of != "certificate" or against.is_for_authorities:
        return ""
    if set(requirement.kinds) <= _OF_ANY_CERTIFICATE:
        return ""
    return "it applies to end-entity certificates"


def _of_ca(
    against: RequirementSet, requirement: Requirement, data: CheckInput, authority: Certificate
) -> Outcome:
    """Return the outcome for a CA certificate, which the certificates below it share."""
    outcomes = data.outcomes_of_cas
    if outcomes is None or requirement.compares:
        return _checked(requirement, data)
    key = against.name, requirement.id, authority.der
    if key not in outcomes:
        outcomes[key] = _checked(requirement, data)
    return outcomes[key]


def _checked(requirement: Requirement, subject: CheckInput) -> Outcome:
    try:
        outcome = requirement.check(subject)
    except Malformed as error:
        return failed("malformed", "a readable value", str(error), requirement.blame)
    if outcome.status is Status.FAIL and not outcome.blame:
        return replace(outcome, blame=requirement.blame)
    return outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one appliance at upload.

    ``unsupported`` counts the violated requirements of the level ``unsupported``, for which the appliance
    does not reject a certificate. ``undecided`` are the IDs of the requirements of the level ``rejected``
    that could not be checked.
    """

    set: RequirementSet
    accepted: bool
    messages: tuple[str, ...]
    unsupported: int
    undecided: tuple[str, ...] = ()


def verdict(against: RequirementSet, findings: Iterable[Finding], *, readable: bool = True) -> Verdict:
    """Return the verdict that follows from a set's findings; an unreadable certificate is rejected."""
    every = tuple(findings)
    violated = [finding.requirement for finding in every if finding.failed]
    undecided = (finding.requirement for finding in every if finding.outcome.undecided)
    undecided_ids = tuple(requirement.id for requirement in undecided if requirement.level is Level.REJECTED)
    rejecting = [requirement for requirement in violated if requirement.level is Level.REJECTED]
    messages = list(map(against.message_of, rejecting))
    if not readable:
        messages.append(against.otherwise)
    unsupported = sum(requirement.level is Level.UNSUPPORTED for requirement in violated)
    return Verdict(against, not messages, tuple(dict.fromkeys(messages)), unsupported, undecided_ids)
