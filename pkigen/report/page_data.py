"""All that the page shows of a built environment, put together from its manifest and its files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pkigen.environment.environment import open_environment
from pkigen.inspection.check import Checked, CheckOptions, check_environment
from pkigen.report.hierarchy import Hierarchy, hierarchy_of
from pkigen.report.matrix_results import MatrixResults
from pkigen.report.requirement_results import RequirementSetResult, requirement_results
from pkigen.report.rows import Row, Rows
from pkigen.report.status import parse_time, plain
from pkigen.report.timeline import Scale, scale_of
from pkigen.requirements import RequirementSet


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """``now`` is the instant that dates are seen from. Without ``sets`` those that the environment names
    are checked; ``answers`` are those of validators."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    sets: tuple[RequirementSet, ...] | None = None
    answers: MatrixResults | None = None
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Section:
    """Rows on one axis; ``clock`` and ``now`` are places on it, in pixels."""

    rows: tuple[Row, ...]
    scale: Scale
    clock: float
    now: float


@dataclass(frozen=True, slots=True)
class Report:
    """The page: ``totals`` are words and numbers, ``verdicts`` counts of what is to be expected."""

    title: str
    base_url: str
    clock: datetime
    now: datetime
    seeded: bool
    hierarchy: Hierarchy
    anchors: Mapping[str, str]
    authorities: Section
    cases: Section
    demands: tuple[RequirementSetResult, ...]
    sound: int
    verdicts: Mapping[str, int]
    families: Mapping[str, int]
    marks: Mapping[str, int]
    validators: tuple[tuple[str, str], ...]
    surprises: tuple[Row, ...]


def collect_page_data(folder: Path, options: ReportOptions) -> Report:
    """A report on the environment in a folder; InputError when there is none, or a file is missing."""
    environment = open_environment(folder)
    manifest, now = environment.manifest, options.now
    checked = {one.name: one for one in _check(folder, options)}
    answers = options.answers or MatrixResults((), {})
    anchors = _anchors(manifest)
    clock = parse_time(manifest["clock"])
    authorities, cases = manifest["authorities"], manifest["cases"]

    def section(entities: Sequence[Mapping[str, Any]], make: Any) -> Section:
        scale = scale_of(_periods(entities), clock, now)
        rows = Rows(now, scale, anchors)
        return Section(
            tuple(make(rows, one) for one in entities), scale, scale.place(clock), scale.place(now)
        )

    def case(rows: Rows, data: Mapping[str, Any]) -> Row:
        return rows.case(data, checked.get(data["name"]), answers.said.get(data["name"], ()))

    shown = section(cases, case)
    return Report(
        title=plain(environment.name),
        base_url=plain(manifest["base_url"]),
        clock=clock,
        now=now,
        seeded=manifest["seeded"],
        hierarchy=hierarchy_of(manifest, now),
        anchors=anchors,
        authorities=section(authorities, Rows.authority),
        cases=shown,
        demands=tuple(requirement_results(checked.values(), anchors)),
        sound=sum("fault" not in one for one in cases),
        verdicts=Counter(row.expected for row in shown.rows),
        families=Counter(row.family for row in shown.rows if row.family),
        marks=Counter(mark for row in shown.rows for mark in row.marks),
        validators=answers.validators,
        surprises=tuple(row for row in shown.rows if row.surprising),
    )


def _check(folder: Path, options: ReportOptions) -> Iterable[Checked]:
    found = check_environment(
        folder, options.sets, CheckOptions(now=options.now, passphrases=options.passphrases)
    )
    return (one for one in found if one.findings)


def _anchors(manifest: Mapping[str, Any]) -> dict[str, str]:
    """The ids on the page, by folder and name: names can hold what an id cannot."""
    found = {f"authorities/{one['name']}": f"a{place}" for place, one in enumerate(manifest["authorities"])}
    return found | {f"certificates/{one['name']}": f"c{place}" for place, one in enumerate(manifest["cases"])}


def _periods(entities: Sequence[Mapping[str, Any]]) -> list[tuple[datetime, datetime]]:
    """The validities that an axis is made for: those without a fault, if there are any."""
    chosen = [one for one in entities if "fault" not in one] or entities
    return [(parse_time(one["not_before"]), parse_time(one["not_after"])) for one in chosen]
