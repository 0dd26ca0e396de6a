"""The findings of `pkigen check` for an environment, by requirement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pkigen.inspection.check import CheckResult
from pkigen.report.status import plain
from pkigen.requirements import Finding, Level, Requirement, RequirementSet, Status

_MAX_NAMES = 6


@dataclass(slots=True)
class RequirementResult:
    """A requirement and the number of certificates that satisfy it.

    ``passed``, ``failed`` and ``not_applicable`` count certificates without a fault; ``cases`` counts faulty
    ones that violate it. ``failing`` contains some certificates that fail: name and HTML ID.
    """

    id: str
    says: str
    level: str
    section: str
    counts: Counter[Status] = field(default_factory=Counter)
    cases: int = 0
    failing: list[tuple[str, str]] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """The number of certificates that satisfy it."""
        return self.counts[Status.PASS]

    @property
    def failed(self) -> int:
        """The number of certificates that violate it."""
        return self.counts[Status.FAIL]

    @property
    def not_applicable(self) -> int:
        """The number of certificates that it does not apply to."""
        return self.counts[Status.NOT_APPLICABLE]


@dataclass(frozen=True, slots=True)
class RequirementSetResult:
    """A requirement set: the number of certificates that satisfy it, and the result of each requirement.

    ``exact`` of ``cases`` faulty cases violate exactly the intended requirements.
    """

    name: str
    title: str
    satisfied: int
    total: int
    exact: int
    cases: int
    demands: tuple[RequirementResult, ...]

    @property
    def broken(self) -> bool:
        """Whether a certificate without a fault violates more than advice."""
        return any(one.failed and one.level != Level.ADVICE for one in self.demands)


def requirement_results(
    checked: Iterable[CheckResult], anchors: Mapping[str, str]
) -> Iterator[RequirementSetResult]:
    """Yield the result of each set that was checked."""
    by_set = dict[str, tuple[RequirementSet, list[CheckResult]]]()
    for one in checked:
        for requirement_set in {finding.set.name: finding.set for finding in one.findings}.values():
            by_set.setdefault(requirement_set.name, (requirement_set, []))[1].append(one)
    for requirement_set, results in by_set.values():
        yield _set_result(requirement_set, results, anchors)


def _set_result(
    requirement_set: RequirementSet, results: list[CheckResult], anchors: Mapping[str, str]
) -> RequirementSetResult:
    rows = {one.id: _new_result(one) for one in requirement_set.requirements}
    for one in results:
        for finding in one.findings:
            if finding.set.name == requirement_set.name:
                _count(rows[finding.requirement.id], one, finding, anchors)
    sound = [one for one in results if one.expected is None]
    cases = [one for one in results if one.expected is not None]
    return RequirementSetResult(
        requirement_set.name,
        requirement_set.title,
        sum(one.as_expected for one in sound),
        len(sound),
        sum(one.as_expected for one in cases),
        len(cases),
        tuple(rows.values()),
    )


def _new_result(one: Requirement) -> RequirementResult:
    return RequirementResult(one.id, one.says, one.level, one.section)


def _count(row: RequirementResult, one: CheckResult, finding: Finding, anchors: Mapping[str, str]) -> None:
    if one.expected is not None:
        row.cases += finding.failed
        return
    row.counts[finding.outcome.status] += 1
    if finding.failed and len(row.failing) < _MAX_NAMES:
        row.failing.append((plain(one.name), anchors[f"certificates/{one.name}"]))
