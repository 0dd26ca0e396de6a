"""Results for programs: JSON, SARIF 2.1.0 and JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pkigen.inspection.check.check import CheckResult
from pkigen.junit import Case, Failure, report
from pkigen.requirements import Finding, Level, Requirement, RequirementSet, Status
from pkigen.sarif import log, result, rule

_SARIF_LEVELS = {Level.REJECTED: "error", Level.UNSUPPORTED: "warning", Level.ADVICE: "note"}


def as_json(checked: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """Return one object for each certificate."""
    return [_checked(one) for one in checked]


def _checked(one: CheckResult) -> dict[str, Any]:
    return {
        "name": one.name,
        "as_expected": one.as_expected,
        "case": None if one.expected is None else {key: sorted(ids) for key, ids in one.expected.items()},
        "revoked": one.revoked,
        "inapplicable": list(one.inapplicable),
        "unread": [{"file": str(artifact.source), "problem": artifact.problem} for artifact in one.unread],
        "verdicts": [
            {
                "set": verdict.set.name,
                "accepted": verdict.accepted,
                "messages": list(verdict.messages),
                "unsupported": verdict.unsupported,
                "undecided": list(verdict.undecided),
            }
            for verdict in one.verdicts
        ],
        "findings": [_finding(finding) for finding in one.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    requirement, outcome = finding.requirement, finding.outcome
    return {
        "set": finding.set.name,
        "id": requirement.id,
        "level": requirement.level,
        "section": requirement.section,
        "says": requirement.says,
        "status": outcome.status,
        "found": outcome.actual or None,
        "wanted": outcome.expected or None,
        "reason": outcome.reason or None,
        "message": finding.set.message_of(requirement) if _refuses(finding) else None,
    }


def _refuses(finding: Finding) -> bool:
    return finding.failed and finding.requirement.level is Level.REJECTED


def sarif(checked: Sequence[CheckResult], sets: Sequence[RequirementSet], version: str) -> dict[str, Any]:
    """Return a SARIF log: each requirement is a rule, each violation a result at the certificate's file."""
    rules = [_rule(one, requirement) for one in sets for requirement in one.requirements]
    results = [_result(one, finding) for one in checked for finding in one.broken]
    results += [_unread(one, str(a.source.file), a.problem) for one in checked for a in one.unread]
    return log(version, rules, results)


def _rule(one: RequirementSet, requirement: Requirement) -> dict[str, Any]:
    full = ", ".join(filter(None, (one.source.title, requirement.section)))
    return rule(f"{one.name}/{requirement.id}", requirement.says, full, _SARIF_LEVELS[requirement.level])


def _result(one: CheckResult, finding: Finding) -> dict[str, Any]:
    requirement, outcome = finding.requirement, finding.outcome
    reason = outcome.reason or f"found {outcome.actual}, expected {outcome.expected}"
    text = f"{one.name}: {requirement.says} ({reason})"
    rule_id = f"{finding.set.name}/{requirement.id}"
    return result(rule_id, _SARIF_LEVELS[requirement.level], text, [_file(one, finding)])


def _unread(one: CheckResult, file: str, problem: str) -> dict[str, Any]:
    return result("unreadable", "error", f"{one.name}: {problem}", [file])


def _file(one: CheckResult, finding: Finding) -> str:
    """Return the file that a requirement is about."""
    presented, kinds = one.presented, set(finding.requirement.kinds)
    if kinds == {"key_file"} and presented.key_source is not None:
        return presented.key_source.file
    if kinds == {"chain_file"} and presented.chain:
        return presented.chain[0].source.file
    return presented.certificate_source.file if presented.certificate_source else one.name


def junit(checked: Sequence[CheckResult]) -> str:
    """Return a JUnit report: a suite for each certificate, a case for each requirement.

    The failures are the causes of exit code 1: a negative case passes if it violates as intended.
    """
    return report("pkigen check", ((one.name, _cases(one)) for one in checked))


def _cases(one: CheckResult) -> list[Case]:
    unread = [
        Case("readable", "files", Failure(f"{artifact.source}: {artifact.problem}"))
        for artifact in one.unread
    ]
    return [*(_case(one, finding) for finding in one.findings), *unread]


def _case(one: CheckResult, finding: Finding) -> Case:
    requirement, outcome = finding.requirement, finding.outcome
    reason = outcome.reason or f"found {outcome.actual}, expected {outcome.expected}"
    failure = skipped = None
    if one.expected is not None:
        missing, surplus = one.surprises(finding.set.name)
        if requirement.id in surplus:
            failure = Failure(
                f"this case should not violate it: {reason}", requirement.level, requirement.says
            )
        elif requirement.id in missing:
            failure = Failure(
                "this case should violate it, and does not", requirement.level, requirement.says
            )
    elif outcome.status is Status.FAIL and one.counts(finding):
        failure = Failure(reason, requirement.level, requirement.says)
    elif outcome.status is Status.FAIL:
        skipped = f"{requirement.says} {reason}"
    if failure is None and outcome.status is Status.NOT_APPLICABLE:
        skipped = outcome.reason
    return Case(requirement.id, finding.set.name, failure, skipped)
