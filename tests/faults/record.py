"""``python -m tests.faults.record``: writes observed.yaml and docs/matrix.md anew from a fresh build.

It then says which differences want a reason in known.yaml, with what the tools said, and which reasons are
out of date.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.matrix import VALIDATORS
from tests.faults.matrix_page import PAGE, page
from tests.faults.outsiders import record, surveyed


def main() -> None:
    """Record the rows; reasons are for a person to write."""
    with TemporaryDirectory() as folder:
        matrix = surveyed(Path(folder))
    absent = {one.name for one in VALIDATORS} - {column.name for column in matrix.columns}
    if absent:
        raise SystemExit(f"not recorded: {', '.join(sorted(absent))} is not found here")
    record(matrix)
    PAGE.write_text(page(), "utf-8")
    print(f"{len(matrix.rows)} cases in {matrix.seconds:.0f} s, {matrix.explained} differences with a reason")
    for subject, column, cell in matrix.unexplained:
        print(f"  {subject.fault} {column.name}: {subject.expected} is expected, {cell.word}: {cell.words}")
    for one in (*matrix.stale, *matrix.gone):
        print(f"  {one.fault} {one.column}: differs no longer; take it out of known.yaml")


if __name__ == "__main__":
    main()
