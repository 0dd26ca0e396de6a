"""``python -m tests.attack [PART ...]``: attacks, and prints the figures; ``--help`` lists the options.

Every input follows from its number and the seed: ``--first N --count 1`` repeats one. The exit code is 1
if there is a finding.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.attack.parts import PARTS
from tests.attack.result import Finding, Result
from tests.tools import ROOT

PAGE = ROOT / "docs" / "attack.md"
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


def run_part(
    name: str, seed: int, *, count: int | None = None, seconds: float | None = None, first: int = 0
) -> Result:
    """Run one part until ``count`` inputs or ``seconds`` are over, whichever comes first."""
    started, findings, total = time.monotonic(), list[Finding](), 0

    def numbers() -> Iterator[int]:
        number = first
        while count is None or number < first + count:
            if seconds is not None and time.monotonic() - started > seconds:
                return
            yield number
            number += 1

    with tempfile.TemporaryDirectory(prefix="pkigen-attack-", ignore_cleanup_errors=True) as directory:
        try:
            for outcome in PARTS[name].attack(Path(directory), numbers(), seed):
                total += outcome.inputs
                findings += outcome.findings
        except PermissionError as error:
            return Result(name, seed, 0, 0, (), skipped=str(error))
    return Result(name, seed, total, time.monotonic() - started, tuple(findings))


def write_table(record: Path) -> None:
    """Replace the table in docs/attack.md by the sums of the recorded figures."""
    lines = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    rows = ["| part | attack | inputs | seeds | findings |", "|---|---|---:|---:|---:|"]
    for name, part in PARTS.items():
        runs = [line for line in lines if line["part"] == name]
        if runs:
            inputs, findings = (sum(run[key] for run in runs) for key in ("count", "findings"))
            seeds = len({run["seed"] for run in runs})
            rows.append(f"| `{name}` | {part.description} | {inputs:,} | {seeds} | {findings} |")
    before, _, rest = PAGE.read_text("utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    table = "\n".join(rows)
    PAGE.write_text(f"{before}{_BEGIN}\n{table}\n{_END}{after}", "utf-8")


def main() -> int:
    """Run the parts, and print one line for each of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], help="default: all")
    parser.add_argument("--count", type=int, help="inputs or kills of each part (default: its own count)")
    parser.add_argument("--seconds", type=float, help="seconds of each part, instead of a count")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--record", type=Path, help="file to which the figures are appended as JSON lines")
    parser.add_argument("--table", type=Path, help="write the figures of such a file to docs/attack.md")
    options = parser.parse_args()
    if options.table is not None:
        write_table(options.table)
        return 0
    has_findings = False
    for name in options.parts or PARTS:
        count = options.count
        if count is None and options.seconds is None:
            count = PARTS[name].count
        result = run_part(name, options.seed, count=count, seconds=options.seconds, first=options.first)
        print(result.line(), flush=True)
        for finding in result.findings:
            repeat = f"{name} --seed {options.seed} --first {finding.number} --count 1"
            print(f"FINDING {repeat}: {finding.problem}", flush=True)
        if options.record is not None:
            with options.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result.record()) + "\n")
        has_findings = has_findings or bool(result.findings)
    return int(has_findings)


if __name__ == "__main__":
    sys.exit(main())
