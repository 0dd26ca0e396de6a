"""Puts the cases of a limbo file to the columns of the matrix and to ``pkigen verify``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pkigen.matrix import Column, Matrix, known_limbo_differences, subjects_of_limbo, survey
from pkigen.matrix.known_differences import LIMBO_FILE, read_differences
from pkigen.matrix.runner import BLIND, Cell
from tests.limbo.verify import Verify

OWN_REASONS = Path(__file__).with_name("known_verify.yaml")
"""Differences of ``pkigen verify`` from limbo's results."""


def survey_limbo(file: Path, folder: Path, columns: Sequence[Column]) -> tuple[Matrix, int]:
    """Return the verdicts, those of ``pkigen verify`` last, and the number of cases that it alone judges.

    The matrix consists of validators of servers: client certificates are only for ``pkigen verify``.
    """
    (folder / "servers").mkdir()
    servers, skipped = subjects_of_limbo(file, folder / "servers")
    clients_file = folder / "clients.json"
    clients_file.write_text(_as_servers(file), "utf-8")
    (folder / "clients").mkdir()
    clients, _ = subjects_of_limbo(clients_file, folder / "clients")
    reasons = (*read_differences(OWN_REASONS), *known_limbo_differences())
    verify = Verify()
    own = Column(verify, verify.version(), verify.version())
    matrix = survey(servers, [*columns, own], reasons, complete=False)
    as_client = Verify("client")
    of_clients = survey(
        clients, [Column(as_client, as_client.version(), as_client.version())], reasons, complete=False
    )
    unseen = tuple(Cell(BLIND) for _ in columns)
    rows = (*matrix.rows, *((subject, (*unseen, *cells)) for subject, cells in of_clients.rows))
    return Matrix(matrix.columns, rows, (), (), matrix.seconds + of_clients.seconds), skipped


def unused_reasons(matrix: Matrix) -> list[str]:
    """Return the faults and the columns of limbo's reasons that explain no difference, with the reasons.

    Reasons for the cases of BetterTLS count only if the file has such cases.
    """
    suites = {subject.name.partition("::")[0] for subject, _ in matrix.rows}
    used = {cell.known for _, cells in matrix.rows for cell in cells if cell.known}
    given = [
        one
        for one in (*read_differences(LIMBO_FILE), *read_differences(OWN_REASONS))
        if not one.fault.startswith("bettertls") or "bettertls" in suites
    ]
    versions = {column.name: column.version for column in matrix.columns}
    stated, useful = (
        {(name, one.reason) for one in entries for name in (one.fault, one.column)}
        for entries in ([one for one in given if one.is_of(versions.get(one.column))], used)
    )
    return [f"{name}: {reason}" for name, reason in sorted(stated - useful)]


def _as_servers(file: Path) -> str:
    """Return the cases of clients as those of servers without a name, which is how the matrix reads them."""
    document = json.loads(file.read_bytes())
    document["testcases"] = [
        {**case, "validation_kind": "SERVER", "expected_peer_name": None}
        for case in document["testcases"]
        if case["validation_kind"] == "CLIENT"
    ]
    return json.dumps(document)
