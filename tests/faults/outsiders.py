"""What independent validators do with the faults of the catalogue, and where that is written down.

``observed.yaml``, which lies beside the faults for ``pkigen faults`` to read, has a row for each fault that
somebody has eyes for, and in it a word for each column, as ``pkigen.matrix.Cell`` has them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import yaml

from pkigen import build, load
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from pkigen.faults.observed import ROWS, recorded_with
from pkigen.matrix import VALIDATORS, Column, Matrix, known_differences, subjects_of, survey
from pkigen.serve import serve_as_proxy
from tests.faults.conftest import is_twin

Rows = dict[str, dict[str, str]]
UNKNOWN = "unknown"
"""The verdict, and the version, of a validator that was not installed where a fault was recorded."""


@contextmanager
def served_catalogue(folder: Path) -> Iterator[tuple[Environment, str | None]]:
    """The shipped profile with every fault, built, and the proxy behind which it answers."""
    environment = build(load("negative"), folder)
    at = datetime.fromisoformat(environment.manifest["clock"])
    with serve_as_proxy(environment.folder, at=at) as address:
        yield environment, address


def columns() -> list[Column]:
    """The validators that are found here."""
    recorded = recorded_with()
    versions = ((one, one.version()) for one in VALIDATORS)
    return [Column(one, version, recorded.get(one.name, "")) for one, version in versions if version]


def surveyed(folder: Path, only: Collection[str] = ()) -> tuple[Matrix, int]:
    """Run all faults, or ``only`` these, against all validators; return also the number of all cases."""
    with served_catalogue(folder) as (environment, proxy):
        subjects = subjects_of(environment, proxy)
        selected = [subject for subject in subjects if not only or subject.fault in only]
        matrix = survey(selected, columns(), known_differences(), complete=not only)
    return matrix, len(subjects)


def seen(matrix: Matrix) -> Rows:
    """Return the rows of observed.yaml that the validators give now."""
    return {
        subject.fault: {column.name: cell.word for column, cell in zip(matrix.columns, cells, strict=True)}
        for subject, cells in matrix.rows
        if subject.fault and subject.spoils and not is_twin(subject.name)
    }


def recorded() -> Rows:
    """Return the rows of observed.yaml."""
    rows: Rows = yaml.safe_load(ROWS.read_text("utf-8"))["rows"]
    return rows


def merged(previous: Rows, current: Rows, only: Collection[str] = ()) -> Rows:
    """Return the rows to record, in the order of the catalog, each with a verdict for every validator.

    A verdict that ``current`` lacks is the previous one; ``unknown`` if there is none, or if the fault is one
    of ``only``: it is new or has changed.
    """
    rows: Rows = {}
    for fault in FAULTS:
        if fault not in current and not (only and fault in previous):
            continue
        row = {} if fault in only else previous.get(fault, {})
        row = {**row, **current.get(fault, {})}
        rows[fault] = {validator.name: row.get(validator.name, UNKNOWN) for validator in VALIDATORS}
    return rows


def record(matrix: Matrix, cases: int, only: Collection[str] = ()) -> None:
    """Write observed.yaml: a line for each fault, in the order of the catalog."""
    previous = yaml.safe_load(ROWS.read_text("utf-8"))
    made = {"on": date.today(), "seconds": round(matrix.seconds)}  # noqa: DTZ011
    made = previous["made"] if only else made
    versions = {column.name: column.version for column in matrix.columns}
    # The versions are those of the last complete record.
    versions = {**versions, **previous["versions"]} if only else {**previous["versions"], **versions}
    lines = ["# What each validator does with each fault of the profile `negative`. Written by"]
    lines += ["# python -m tests.faults.record; what is not as expected has its reason in matrix/known.yaml."]
    lines += [f"made: {{'on': {made['on']}, cases: {cases}, seconds: {made['seconds']}}}"]
    lines += ["versions:"]
    lines += [f"  {validator.name}: {versions.get(validator.name, UNKNOWN)}" for validator in VALIDATORS]
    lines += ["rows:"]
    for fault, row in merged(previous["rows"], seen(matrix), only).items():
        words = ", ".join(f"{column}: {word}" for column, word in row.items())
        lines.append(f"  {fault}: {{{words}}}")
    ROWS.write_text("\n".join(lines) + "\n", "utf-8")
