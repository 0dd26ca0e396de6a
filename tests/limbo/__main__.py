"""Compares all cases of limbo.json: ``python -m tests.limbo FILE``.

Writes docs/limbo.md. The exit code is 1 if a verdict differs without a reason, a reason explains nothing, or
a case has no counterpart in the catalog.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.matrix import VALIDATORS, Column
from tests.limbo.counterparts import discrepancies
from tests.limbo.page import PAGE, page
from tests.limbo.survey import survey_limbo, unused_reasons
from tests.matrix.tools import OPTIONAL


def main() -> int:
    """Compare, report, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.limbo")
    parser.add_argument("file", type=Path, help="limbo.json")
    file = parser.parse_args().file
    versions = [
        (one, one.version()) for one in VALIDATORS if "path" in one.looks_at and one.name not in OPTIONAL
    ]
    columns = [Column(one, version, version) for one, version in versions if version]
    with TemporaryDirectory() as folder:
        matrix, skipped = survey_limbo(file, Path(folder), columns)
    for subject, column, cell in matrix.unexplained:
        print(f"{subject.name} {column.name}: expected {subject.expected}, got {cell.word}: {cell.words}")
    differing = list(discrepancies(file))
    print(*differing, sep="\n", end="\n" if differing else "")
    missing = [one.name for one, version in versions if version is None]
    unused = [] if missing else unused_reasons(matrix)
    for one in unused:
        print(f"no longer explains a difference: {one}")
    print(f"{len(matrix.rows)} cases in {matrix.seconds:.0f} s, {len(matrix.unexplained)} without a reason")
    if missing:
        print(f"not installed: {', '.join(missing)}; the page is not written")
    else:
        PAGE.write_text(page(matrix, skipped), "utf-8")
    return int(bool(matrix.unexplained or unused or differing))


if __name__ == "__main__":
    sys.exit(main())
