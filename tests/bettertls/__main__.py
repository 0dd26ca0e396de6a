"""Compares all cases of BetterTLS: ``python -m tests.bettertls FILE``; writes docs/bettertls.md.

The exit code is 1 if a verdict differs without a reason, or if the cases are not those of the profile.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pkigen.matrix import VALIDATORS, Column, Matrix
from tests.bettertls.original import changed_verdicts, limbo_document
from tests.bettertls.page import PAGE, page
from tests.limbo.survey import survey_limbo
from tests.matrix.tools import OPTIONAL


def survey_bettertls(exported: dict[str, Any], folder: Path, columns: list[Column]) -> Matrix:
    """Return the verdicts on the exported cases, those of ``pkigen verify`` last."""
    file = folder / "limbo.json"
    file.write_text(json.dumps(limbo_document(exported)), "utf-8")
    return survey_limbo(file, folder, columns)[0]


def main() -> int:
    """Compare, report, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bettertls")
    parser.add_argument("file", type=Path, help="what BetterTLS's command export-tests wrote")
    exported = json.loads(parser.parse_args().file.read_bytes())
    if changed := changed_verdicts(exported):
        print(
            f"BetterTLS has other cases or verdicts than profiles/bettertls.yaml: {', '.join(changed[:20])}"
        )
        return 1
    versions = [
        (one, one.version()) for one in VALIDATORS if "path" in one.looks_at and one.name not in OPTIONAL
    ]
    columns = [Column(one, version, version) for one, version in versions if version]
    with TemporaryDirectory() as folder:
        matrix = survey_bettertls(exported, Path(folder), columns)
    for subject, column, cell in matrix.unexplained:
        print(f"{subject.name} {column.name}: expected {subject.expected}, got {cell.word}: {cell.words}")
    print(f"{len(matrix.rows)} cases in {matrix.seconds:.0f} s, {len(matrix.unexplained)} without a reason")
    if missing := [one.name for one, version in versions if version is None]:
        print(f"not installed: {', '.join(missing)}; the page is not written")
    else:
        PAGE.write_text(page(matrix), "utf-8")
    return int(bool(matrix.unexplained))


if __name__ == "__main__":
    sys.exit(main())
