"""Verdicts of independent validators about the faults of the catalog, and the record of them.

``observed.yaml``, which lies beside the faults for ``pkigen faults`` to read, has a row for each fault that
somebody has eyes for, and in it a word for each column, as ``pkigen.matrix.Cell`` has them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from pkigen import build, load
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from pkigen.faults.observed import ROWS, Rows, recorded_version, records
from pkigen.matrix import VALIDATORS, Cell, Column, Matrix, Subject, known_differences, subjects_of, survey
from pkigen.serve import serve_as_proxy, serve_tls
from tests.faults.conftest import is_twin

UNKNOWN = "unknown"
"""The verdict, and the version, of a validator that was not installed where a fault was recorded."""


@contextmanager
def served_catalogue(folder: Path) -> Iterator[tuple[Environment, str, str]]:
    """The shipped profile with every fault, built, and the addresses of its HTTP proxy and TLS endpoint."""
    environment = build(load("negative"), folder, BuildOptions(keys="pool"))
    at = datetime.fromisoformat(environment.manifest["clock"])
    with serve_as_proxy(environment.folder, at=at) as proxy, serve_tls(environment.folder) as url:
        yield environment, proxy, url.removeprefix("https://")


def columns(names: Collection[str] = (), *, browsers: bool = True) -> list[Column]:
    """The validators that are found here, or those of them with these names, or all but browsers."""
    versions = (
        (one, one.version())
        for one in VALIDATORS
        if (one.name in names if names else browsers or "tls" not in one.looks_at)
    )
    return [Column(one, version, recorded_version(one.name, version)) for one, version in versions if version]


def surveyed(
    folder: Path, only: Collection[str] = (), validators: Collection[str] = (), *, browsers: bool = True
) -> tuple[Matrix, int]:
    """Run all faults, or ``only`` these, against all or some validators; return also the number of cases."""
    with served_catalogue(folder) as (environment, proxy, tls):
        subjects = subjects_of(environment, proxy, tls)
        selected = [subject for subject in subjects if not only or subject.fault in only]
        matrix = survey(
            selected, columns(validators, browsers=browsers), known_differences(), complete=not only
        )
    return matrix, len(subjects)


def seen(matrix: Matrix) -> Rows:
    """Return the rows of observed.yaml that the validators give now."""
    return {
        subject.fault: {column.name: cell.word for column, cell in zip(matrix.columns, cells, strict=True)}
        for subject, cells in matrix.rows
        if subject.fault and subject.spoils and not is_twin(subject.name)
    }


def timeouts(matrix: Matrix) -> list[tuple[Subject, Column, Cell]]:
    """Return the verdicts that are timeouts; what they say depends on the load of the machine."""
    return [
        (subject, column, cell)
        for subject, cells in matrix.rows
        for column, cell in zip(matrix.columns, cells, strict=True)
        if "timed out after" in cell.words
    ]


def merged(previous: Rows, current: Rows, only: Collection[str] = (), *, partial: bool = False) -> Rows:
    """Return the rows to record, in the order of the catalog, each with a verdict for every validator.

    A verdict that ``current`` lacks is the previous one; ``unknown`` if there is none, or if the fault is one
    of ``only``: it is new or has changed. In a ``partial`` record, the verdicts of the other validators stay.
    """
    rows: Rows = {}
    for fault in FAULTS:
        if fault not in current and not (only and fault in previous):
            continue
        row = {} if fault in only and not partial else previous.get(fault, {})
        row = {**row, **current.get(fault, {})}
        rows[fault] = {validator.name: row.get(validator.name, UNKNOWN) for validator in VALIDATORS}
    return rows


def record(
    matrix: Matrix, cases: int, only: Collection[str] = (), system: str = "", *, partial: bool = False
) -> None:
    """Write observed.yaml: a line for each fault, in the order of the catalog.

    For another ``system`` than that of the complete record, write only what differs from it. A ``partial``
    record of some validators keeps its date and duration.
    """
    document = yaml.safe_load(ROWS.read_text("utf-8"))
    versions = {column.name: column.version for column in matrix.columns}
    if system in ("", document["system"]):
        if not only and not partial:
            document["made"] = {"on": date.today(), "cases": cases, "seconds": round(matrix.seconds)}  # noqa: DTZ011
        document["made"]["cases"] = cases
        # The versions are those of the last complete record.
        former = document["versions"]
        document["versions"] = {**versions, **former} if only else {**former, **versions}
        document["rows"] = merged(document["rows"], seen(matrix), only, partial=partial)
        for other in document.get("others", ()) if only else ():
            unknown = _unknown_there(other["versions"], document["versions"], seen(matrix))
            for fault, row in unknown.items():
                former = other["rows"].get(fault, {}) if partial else {}
                recorded = {name: word for name, word in row.items() if name in versions or not partial}
                other["rows"][fault] = {**former, **recorded}
    else:
        others = [other for other in document.get("others", ()) if other["system"] != system]
        rows = _differing(seen(matrix), document["rows"])
        if only:
            former = next(one.rows for one in records() if one.system == system)
            rows = {**_differing(former, document["rows"]), **rows}
        document["others"] = [*others, {"system": system, "versions": versions, "rows": rows}]
    ROWS.write_text("\n".join(_lines(document)) + "\n", "utf-8")


def _unknown_there(
    versions: dict[str, str], recorded: dict[str, str], rows: Rows
) -> dict[str, dict[str, str]]:
    """Return the verdicts that another system needs once rows are recorded: by its other versions."""
    others = [name for name, version in versions.items() if version != recorded.get(name)]
    return {
        fault: {name: UNKNOWN for name in others if row.get(name) != "blind"} for fault, row in rows.items()
    }


def _differing(rows: Rows, complete: Rows) -> Rows:
    """Return the verdicts of ``rows`` that are not those of the complete record."""
    differences = (
        (fault, {column: word for column, word in row.items() if word != complete.get(fault, {}).get(column)})
        for fault, row in rows.items()
    )
    return {fault: row for fault, row in differences if row}


def _lines(document: dict[str, Any]) -> Iterator[str]:
    made = document["made"]
    yield "# What each validator does with each fault of the profile `negative`. Written by"
    yield "# python -m tests.faults.record; what is not as expected has its reason in matrix/known.yaml."
    yield f"made: {{'on': {made['on']}, cases: {made['cases']}, seconds: {made['seconds']}}}"
    yield f"system: {document['system']}"
    yield "versions:"
    yield from (f"  {one.name}: {document['versions'].get(one.name, UNKNOWN)}" for one in VALIDATORS)
    yield "rows:"
    yield from _row_lines(document["rows"], "  ")
    if document.get("others"):
        yield "# Other systems: the versions there, and the verdicts that differ from those above."
        yield "others:"
    for other in document.get("others", ()):
        yield f"- system: {other['system']}"
        yield "  versions:"
        yield from (f"    {name}: {version}" for name, version in other["versions"].items())
        yield "  rows:" if other["rows"] else "  rows: {}"
        yield from _row_lines(other["rows"], "    ")


def _row_lines(rows: Rows, indent: str) -> Iterator[str]:
    for fault, row in rows.items():
        words = ", ".join(f"{column}: {word}" for column, word in row.items())
        yield f"{indent}{fault}: {{{words}}}"
