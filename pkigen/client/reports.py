"""Results of a client for programs: JSON, SARIF 2.1.0 and JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pkigen import junit, sarif
from pkigen.client.run import ClientResult, Outcome

_SOUND = "sound"
"""The rule that a client violates if it rejects a certificate without a fault."""


def as_json(results: Sequence[ClientResult]) -> list[dict[str, Any]]:
    """Return one object for each case."""
    return [
        {
            "name": one.case.name,
            "fault": one.case.fault,
            "expected": one.expected,
            "actual": one.actual,
            "outcome": one.outcome.value,
            "seconds": round(one.seconds, 3),
            "output": one.output,
        }
        for one in results
    ]


def as_junit(results: Sequence[ClientResult], name: str) -> str:
    """Return a JUnit report: one suite, a test for each case; known and open differences are skipped."""
    return junit.report("pkigen client", [(name, [_case(one, name) for one in results])])


def _case(one: ClientResult, name: str) -> junit.Case:
    failure = skipped = None
    if one.outcome is Outcome.FAILED:
        failure = junit.Failure(f"{one.case.name}: {one.says}", one.expected, one.output)
    elif one.outcome is not Outcome.PASSED:
        skipped = f"{one.outcome.value}: {one.says}"
    return junit.Case(one.case.name, name, failure, skipped, one.seconds)


def as_sarif(results: Sequence[ClientResult], source: str, version: str) -> dict[str, Any]:
    """Return a SARIF log: each fault is a rule, each difference a result at the file ``source``."""
    failed = [one for one in results if one.outcome is Outcome.FAILED]
    rules = {_rule(one): one for one in failed}
    return sarif.log(
        version,
        [
            sarif.rule(rule, f"must {one.expected}: {rule}", one.case.reason or one.says, "error")
            for rule, one in rules.items()
        ],
        [sarif.result(_rule(one), "error", f"{one.case.name}: {one.says}", [source]) for one in failed],
    )


def _rule(one: ClientResult) -> str:
    return one.case.fault or _SOUND
