"""Collects the contents of the page from an environment's manifest and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pkigen.environment.environment import open_environment
from pkigen.environment.status import FleetStatus, environment_status
from pkigen.inspection.check import CheckOptions, CheckResult, check_environment
from pkigen.report.hierarchy import Hierarchy, hierarchy_of
from pkigen.report.matrix_results import MatrixResults
from pkigen.report.requirement_results import RequirementSetResult, requirement_results
from pkigen.report.rows import Row, Rows
from pkigen.report.status import parse_time, plain
from pkigen.report.timeline import Scale, scale_of
from pkigen.requirements import RequirementSet


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """The evaluation time ``now``, the requirement sets (default: those that the environment names), and the
    validators' verdicts."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    sets: tuple[RequirementSet, ...] | None = None
    matrix_results: MatrixResults | None = None
    passphrases: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class FleetRow:
    """A fleet: ``data`` is its object in the manifest, ``status`` its state at the evaluation time."""

    data: Mapping[str, Any]
    status: FleetStatus
    issuer_anchor: str


@dataclass(frozen=True, slots=True)
class Section:
    """Rows that share an axis; ``clock`` and ``now`` are positions on it, in pixels."""

    rows: tuple[Row, ...]
    scale: Scale
    clock: float
    now: float


@dataclass(frozen=True, slots=True)
class Report:
    """The contents of the page; ``verdicts`` counts the expected verdicts."""

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
    fleets: tuple[FleetRow, ...]


def collect_page_data(folder: Path, options: ReportOptions) -> Report:
    """Return a report about an environment; raise InputError if it or one of its files is missing."""
    environment = open_environment(folder)
    manifest, now = environment.manifest, options.now
    checked = {one.name: one for one in _check(folder, options)}
    matrix_results = options.matrix_results or MatrixResults((), {})
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
        return rows.case(data, checked.get(data["name"]), matrix_results.verdicts.get(data["name"], ()))

    demands = tuple(requirement_results(checked.values(), anchors))
    case_section = section(cases, case)
    return Report(
        title=plain(_title(environment.name, manifest["requirements"], demands)),
        base_url=plain(manifest["base_url"]),
        clock=clock,
        now=now,
        seeded=manifest["seeded"],
        hierarchy=hierarchy_of(manifest, now),
        anchors=anchors,
        authorities=section(authorities, Rows.authority),
        cases=case_section,
        demands=demands,
        sound=sum("fault" not in one for one in cases),
        verdicts=Counter(row.expected for row in case_section.rows),
        families=Counter(row.family for row in case_section.rows if row.family),
        marks=Counter(mark for row in case_section.rows for mark in row.marks),
        validators=matrix_results.validators,
        surprises=tuple(row for row in case_section.rows if row.surprising),
        fleets=tuple(
            FleetRow(data, status, anchors.get(f"authorities/{data['issuer']}", ""))
            for data, status in zip(
                manifest.get("fleets", ()), environment_status(environment, now, now).fleets, strict=True
            )
        ),
    )


def _title(name: str, sets: Sequence[str], results: Sequence[RequirementSetResult]) -> str:
    """Return the environment's name and what its certificates are for, according to its requirement sets."""
    purposes = [one.title for one in results if one.name in sets]
    return f"{name}: {'; '.join(purposes) or 'test PKI'}"


def _check(folder: Path, options: ReportOptions) -> Iterable[CheckResult]:
    results = check_environment(
        folder, options.sets, CheckOptions(now=options.now, passphrases=options.passphrases)
    )
    return (one for one in results if one.findings)


def _anchors(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the HTML IDs by directory and name: names can contain characters that an ID cannot."""
    anchors = {f"authorities/{one['name']}": f"a{place}" for place, one in enumerate(manifest["authorities"])}
    return anchors | {
        f"certificates/{one['name']}": f"c{place}" for place, one in enumerate(manifest["cases"])
    }


def _periods(entities: Sequence[Mapping[str, Any]]) -> list[tuple[datetime, datetime]]:
    """Return the validity periods that define the axis: those without a fault, if there are any."""
    chosen = [one for one in entities if "fault" not in one] or entities
    return [(parse_time(one["not_before"]), parse_time(one["not_after"])) for one in chosen]
