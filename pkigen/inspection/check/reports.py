"""Results for programs: JSON, SARIF 2.1.0 and JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pkigen.inspection.check.check import CheckResult
from pkigen.junit import Case, Failure, report
from pkigen.requirements import Finding, Level, Requirement, RequirementSet, Status

_SARIF_LEVELS = {Level.REJECTED: "error", Level.UNSUPPORTED: "warning", Level.ADVICE: "note"}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(checked: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """One object for each certificate."""
    return [_checked(one) for one in checked]


def _checked(one: CheckResult) -> dict[str, Any]:
    return {
        "name": one.name,
        "as_expected": one.as_expected,
        "case": None if one.expected is None else {key: sorted(ids) for key, ids in one.expected.items()},
        "revoked": one.revoked,
        "inapplicable": list(one.inapplicable),
        "unread": [{"file": str(found.source), "problem": found.problem} for found in one.unread],
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
        "findings": [_finding(found) for found in one.findings],
    }


def _finding(found: Finding) -> dict[str, Any]:
    requirement, outcome = found.requirement, found.outcome
    return {
        "set": found.set.name,
        "id": requirement.id,
        "level": requirement.level,
        "section": requirement.section,
        "says": requirement.says,
        "status": outcome.status,
        "found": outcome.found or None,
        "wanted": outcome.wanted or None,
        "reason": outcome.reason or None,
        "message": found.set.message_of(requirement) if _refuses(found) else None,
    }


def _refuses(found: Finding) -> bool:
    return found.failed and found.requirement.level is Level.REJECTED


def sarif(checked: Sequence[CheckResult], sets: Sequence[RequirementSet], version: str) -> dict[str, Any]:
    """A SARIF log: every requirement is a rule, every broken one a result at the certificate's file."""
    rules = [_rule(one, requirement) for one in sets for requirement in one.requirements]
    results = [_result(one, found) for one in checked for found in one.broken]
    results += [_unread(one, str(a.source.file), a.problem) for one in checked for a in one.unread]
    driver = {"name": "pkigen", "version": version, "rules": rules}
    runs = [{"tool": {"driver": driver}, "results": results}]
    return {"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": runs}


def _rule(one: RequirementSet, requirement: Requirement) -> dict[str, Any]:
    return {
        "id": f"{one.name}/{requirement.id}",
        "shortDescription": {"text": requirement.says},
        "fullDescription": {"text": f"{one.source.title}, {requirement.section}"},
        "defaultConfiguration": {"level": _SARIF_LEVELS[requirement.level]},
    }


def _result(one: CheckResult, found: Finding) -> dict[str, Any]:
    requirement, outcome = found.requirement, found.outcome
    words = outcome.reason or f"found {outcome.found}, wanted {outcome.wanted}"
    return {
        "ruleId": f"{found.set.name}/{requirement.id}",
        "level": _SARIF_LEVELS[requirement.level],
        "message": {"text": f"{one.name}: {requirement.says} ({words})"},
        "locations": [_location(_file(one, found))],
    }


def _unread(one: CheckResult, file: str, problem: str) -> dict[str, Any]:
    return {
        "ruleId": "unreadable",
        "level": "error",
        "message": {"text": f"{one.name}: {problem}"},
        "locations": [_location(file)],
    }


def _file(one: CheckResult, found: Finding) -> str:
    """The file that a demand is about."""
    shown, kind = one.presented, found.requirement.kind
    if kind == "key_file" and shown.key_source is not None:
        return shown.key_source.file
    if kind == "chain_file" and shown.chain:
        return shown.chain[0].source.file
    return shown.certificate_source.file if shown.certificate_source else one.name


def _location(file: str) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": file.replace("\\", "/")}}}


def junit(checked: Sequence[CheckResult]) -> str:
    """A JUnit report: a suite for each certificate, a case for each requirement.

    What fails is what the exit code is 1 for: a negative case passes where it breaks what it was made to.
    """
    return report("pkigen check", ((one.name, _cases(one)) for one in checked))


def _cases(one: CheckResult) -> list[Case]:
    unread = [Case("readable", "files", Failure(f"{found.source}: {found.problem}")) for found in one.unread]
    return [*(_case(one, found) for found in one.findings), *unread]


def _case(one: CheckResult, found: Finding) -> Case:
    requirement, outcome = found.requirement, found.outcome
    words = outcome.reason or f"found {outcome.found}, wanted {outcome.wanted}"
    failure = skipped = None
    if one.expected is not None:
        missing, surplus = one.surprises(found.set.name)
        if requirement.id in surplus:
            failure = Failure(f"this case should not break it: {words}", requirement.level, requirement.says)
        elif requirement.id in missing:
            failure = Failure("this case should break it, and does not", requirement.level, requirement.says)
    elif outcome.status is Status.FAIL and one.counts(found):
        failure = Failure(words, requirement.level, requirement.says)
    elif outcome.status is Status.FAIL:
        skipped = f"{requirement.says} {words}"
    if failure is None and outcome.status is Status.NOT_APPLICABLE:
        skipped = outcome.reason
    return Case(requirement.id, found.set.name, failure, skipped)
