"""What `pkigen check` says of a whole environment, requirement by requirement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pkigen.inspection.check import Checked
from pkigen.report.status import plain
from pkigen.requirements import Finding, Level, Requirement, RequirementSet, Status

_MOST_NAMED = 6


@dataclass(slots=True)
class RequirementResult:
    """One requirement, with how many certificates satisfy it.

    ``passed``, ``failed`` and ``spared`` (it does not apply) count certificates without a fault; ``cases``
    are those with one that break it. ``who`` are some that fail: name and id on the page.
    """

    id: str
    says: str
    level: str
    section: str
    counts: Counter[Status] = field(default_factory=Counter)
    cases: int = 0
    who: list[tuple[str, str]] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """Certificates that satisfy it."""
        return self.counts[Status.PASS]

    @property
    def failed(self) -> int:
        """Certificates that do not."""
        return self.counts[Status.FAIL]

    @property
    def spared(self) -> int:
        """Certificates that it does not apply to."""
        return self.counts[Status.NOT_APPLICABLE]


@dataclass(frozen=True, slots=True)
class RequirementSetResult:
    """A requirement set: how many certificates satisfy all of it, and how each requirement fares.

    ``exact`` of ``cases`` with a fault break just what they were made to break.
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
        """Whether a certificate without a fault breaks more than advice."""
        return any(one.failed and one.level != Level.ADVICE for one in self.demands)


def requirement_results(
    checked: Iterable[Checked], anchors: Mapping[str, str]
) -> Iterator[RequirementSetResult]:
    """One for each set that anything was held against."""
    by_set = dict[str, tuple[RequirementSet, list[Checked]]]()
    for one in checked:
        for found in {finding.set.name: finding.set for finding in one.findings}.values():
            by_set.setdefault(found.name, (found, []))[1].append(one)
    for one_set, those in by_set.values():
        yield _demands(one_set, those, anchors)


def _demands(
    one_set: RequirementSet, those: list[Checked], anchors: Mapping[str, str]
) -> RequirementSetResult:
    rows = {one.id: _demand(one) for one in one_set.requirements}
    for one in those:
        for finding in one.findings:
            if finding.set.name == one_set.name:
                _count(rows[finding.requirement.id], one, finding, anchors)
    sound = [one for one in those if one.expected is None]
    cases = [one for one in those if one.expected is not None]
    return RequirementSetResult(
        one_set.name,
        one_set.title,
        sum(one.as_expected for one in sound),
        len(sound),
        sum(one.as_expected for one in cases),
        len(cases),
        tuple(rows.values()),
    )


def _demand(one: Requirement) -> RequirementResult:
    return RequirementResult(one.id, one.says, one.level, one.section)


def _count(row: RequirementResult, one: Checked, finding: Finding, anchors: Mapping[str, str]) -> None:
    if one.expected is not None:
        row.cases += finding.failed
        return
    row.counts[finding.outcome.status] += 1
    if finding.failed and len(row.who) < _MOST_NAMED:
        row.who.append((plain(one.name), anchors[f"certificates/{one.name}"]))
