"""``python -m tests.faults.record``: writes observed.yaml anew from a fresh build of the catalogue.

It then says which deviations want a reason in deviations.yaml, with what the tools said, and which
reasons are out of date.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen import build
from pkigen.environment import Environment
from pkigen.matrix import VALIDATORS, cases_of
from tests.faults.conftest import PROFILE
from tests.faults.judging import case_of
from tests.faults.outsiders import deviating, explained, record, seen


def main() -> None:
    """Record the rows; reasons are for a person to write."""
    with TemporaryDirectory() as folder:
        environment = build(PROFILE, Path(folder))
        rows = seen(environment)
        record(rows)
        reasons = {(fault, column) for fault, column, _ in explained()}
        found = deviating(rows)
        print(f"{len(rows)} faults, {len(found)} deviations, {len(found - reasons)} without a reason")
        for fault, column in sorted(found - reasons):
            print(f"  {fault} {column}: {rows[fault][column]}: {_words(environment, fault, column)}")
        for fault, column in sorted(reasons - found):
            print(f"  {fault} {column}: deviates no longer; take it out of deviations.yaml")


def _words(environment: Environment, fault: str, column: str) -> str:
    name = case_of(environment, fault)["name"]
    (validator,) = (one for one in VALIDATORS if one.name == column)
    return validator.judge([case for case in cases_of(environment) if case.name == name])[name].words


if __name__ == "__main__":
    main()
