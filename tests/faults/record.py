"""Records the verdicts of the validators: ``python -m tests.faults.record [--only FAULT] [--system NAME]``.

Runs the cases of the profile ``negative`` against the validators on this machine, and writes observed.yaml,
docs/matrix.md and the figures in docs/tour.md. With ``--only``, it records only these faults, for example one
that is new, and with ``--validators`` only these columns. For a validator that is not on this machine, a
recorded verdict stays, except with ``--only``; otherwise it is ``unknown``. With ``--system``, it records
another system, such as "Debian 13": the versions of its validators, and the verdicts that differ from the
complete record. It then lists the differences that need a reason in known.yaml, the reasons that are out of
date, and the timeouts: on a busy machine, they say nothing about the validator.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.faults import FAULTS
from pkigen.faults.observed import records
from pkigen.matrix import VALIDATORS
from tests.faults.matrix_page import PAGE, figures, page
from tests.faults.outsiders import record, surveyed, timeouts
from tests.tools import ROOT


def main() -> None:
    """Record the rows; reasons are for a person to write."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.record")
    parser.add_argument("--only", nargs="+", metavar="FAULT", choices=FAULTS, default=[], help="fault IDs")
    parser.add_argument("--system", default="", help="another system than that of the complete record")
    names = [validator.name for validator in VALIDATORS]
    parser.add_argument("--validators", nargs="+", metavar="NAME", choices=names, default=[], help="columns")
    options = parser.parse_args()
    only = frozenset(options.only)
    with TemporaryDirectory() as directory:
        matrix, cases = surveyed(Path(directory), only, options.validators)
    record(matrix, cases, only, options.system, partial=bool(options.validators))
    records.cache_clear()
    PAGE.write_text(page(), "utf-8")
    readme = ROOT / "docs" / "tour.md"
    readme.write_text(with_figures(readme.read_text("utf-8")), "utf-8")
    for validator in VALIDATORS:
        if not options.validators and validator.name not in {column.name for column in matrix.columns}:
            status = "unknown" if only else "not recorded again"
            print(f"{validator.name}: {status}, because it is not installed ({validator.comes_with})")
    print(f"{len(matrix.rows)} cases in {matrix.seconds:.0f} s, {matrix.explained} differences with a reason")
    for subject, column, cell in (*matrix.unexplained, *matrix.unrecorded):
        print(f"  {subject.fault} {column.name}: expected {subject.expected}, got {cell.word}: {cell.words}")
    for subject, column, cell in timeouts(matrix):
        print(f"  {subject.fault} {column.name}: {cell.words}")
    for entry in (*matrix.stale, *matrix.gone):
        print(f"  {entry.fault} {entry.column}: no longer differs; remove it from known.yaml")


def with_figures(readme: str) -> str:
    """Return the text of docs/tour.md with the figures of the recorded matrix."""
    cases, columns, validators, differing = figures()
    pattern = r"All \d+( cases of the .*? against )\d+( columns of these )\d+( validators: )\d+"
    return re.sub(pattern, rf"All {cases}\g<1>{columns}\g<2>{validators}\g<3>{differing}", readme)


if __name__ == "__main__":
    main()
