"""What independent validators do with the faults of the catalogue, and where that is written down.

``observed.yaml``, which lies beside the faults for ``pkigen faults`` to read, has a row for each fault that
somebody has eyes for, and in it a word for each column, as ``pkigen.matrix.Cell`` has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import yaml

from pkigen import build, load
from pkigen.environment.environment import Environment
from pkigen.faults.observed import ROWS, recorded_with
from pkigen.matrix import VALIDATORS, Column, Matrix, known_differences, subjects_of, survey
from pkigen.serve import serve_as_proxy
from tests.faults.conftest import is_twin

Rows = dict[str, dict[str, str]]


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


def surveyed(folder: Path) -> Matrix:
    """All faults put to all validators."""
    with served_catalogue(folder) as (environment, proxy):
        return survey(subjects_of(environment, proxy), columns(), known_differences())


def seen(matrix: Matrix) -> Rows:
    """The rows of observed.yaml, as validators answer now."""
    return {
        subject.fault: {column.name: cell.word for column, cell in zip(matrix.columns, cells, strict=True)}
        for subject, cells in matrix.rows
        if subject.fault and subject.spoils and not is_twin(subject.name)
    }


def recorded() -> Rows:
    """The rows of observed.yaml."""
    rows: Rows = yaml.safe_load(ROWS.read_text("utf-8"))["rows"]
    return rows


def record(matrix: Matrix) -> None:
    """Write observed.yaml: a line for each fault, in the catalogue's order."""
    lines = ["# What each validator does with each fault of the profile `negative`. Written by"]
    lines += ["# python -m tests.faults.record; what is not as expected has its reason in matrix/known.yaml."]
    lines += [f"made: {{'on': {date.today()}, cases: {len(matrix.rows)}, seconds: {matrix.seconds:.0f}}}"]  # noqa: DTZ011
    lines += ["versions:"]
    lines += [f"  {column.name}: {column.version}" for column in matrix.columns]
    lines += ["rows:"]
    for fault, row in seen(matrix).items():
        words = ", ".join(f"{column}: {word}" for column, word in row.items())
        lines.append(f"  {fault}: {{{words}}}")
    ROWS.write_text("\n".join(lines) + "\n", "utf-8")
