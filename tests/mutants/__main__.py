"""``python -m tests.mutants MODULE... [--sample N --seed S]``: runs mutants and prints a table."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.mutants.nearest import nearest_tests, sources
from tests.mutants.operators import Mutant, mutants_of
from tests.mutants.runner import Runner

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
"""Mutants that behave as the original, with the reason: no test can kill them."""

KILLED_PERCENT = 90


class Results:
    """The results of earlier runs in a file of JSON lines; a killed mutant stays killed."""

    def __init__(self, path: Path) -> None:
        """Read the results that exist."""
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self.by_key: dict[str, dict[str, Any]] = {entry["key"]: entry for entry in map(json.loads, lines)}

    def add(self, key: str, status: str, seconds: float, tests: str) -> None:
        """Append one result; ``tests`` identifies the state of the tests."""
        self.by_key[key] = {"key": key, "status": status, "seconds": round(seconds, 2), "tests": tests}
        with self.path.open("a", encoding="utf-8") as lines:
            print(json.dumps(self.by_key[key]), file=lines)

    def pending(self, mutants: list[Mutant], tests: str) -> list[Mutant]:
        """Return the mutants without a result; one that survived runs again after the tests change."""
        return [
            mutant
            for mutant in mutants
            if (entry := self.by_key.get(mutant.key)) is None
            or (entry["status"] == "survived" and entry["tests"] != tests)
        ]


def selected_mutants(root: Path, module: str, sample: int, seed: str) -> list[Mutant]:
    """Return the mutants of a module or package, or a random sample that depends only on the seed.

    A change of one function replaces only that function's mutants in the sample.
    """
    mutants = [mutant for name, path in sources(root, module).items() for mutant in mutants_of(name, path)]
    if not 0 < sample < len(mutants):
        return mutants
    ranks = {mutant.key: hashlib.sha256(f"{seed}:{mutant.key}".encode()).digest() for mutant in mutants}
    last = sorted(ranks.values())[sample - 1]
    return [mutant for mutant in mutants if ranks[mutant.key] <= last]


Equivalents = dict[tuple[str, str, str, int], str]


def equivalents(path: Path = EQUIVALENT) -> Equivalents:
    """Return the reasons by module, function, change, and its occurrence among equal changes (from 0)."""
    entries = yaml.safe_load(path.read_text("utf-8")) if path.exists() else []
    return {
        (entry["module"], entry["function"], entry["change"], entry.get("occurrence", 0)): entry["reason"]
        for entry in entries
    }


def is_equivalent(mutant: Mutant, known: Equivalents) -> bool:
    """Return whether a mutant is in the list of equivalent mutants."""
    return (mutant.module, mutant.function, mutant.change, mutant.occurrence) in known


def main() -> int:
    """Run the mutants of all modules; return 1 if too few of a module are killed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="for example pkigen.asn1.der")
    parser.add_argument("--sample", type=int, default=0, help="mutants per MODULE (default: all)")
    parser.add_argument("--seed", default="1", help="seed of the sample (default: 1)")
    parser.add_argument("--tests", nargs="*", default=[], type=Path, help="further test files")
    parser.add_argument("--at-most", type=int, default=0, help="stop after so many mutants (default: all)")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="root of the source tree")
    parser.add_argument("--work", type=Path, default=Path(".mutants"), help="results of earlier runs")
    options = parser.parse_args()
    results, known = Results(options.work / "results.jsonl"), equivalents()
    chosen = {
        module: selected_mutants(options.root, module, options.sample, options.seed)
        for module in options.modules
    }
    for module, mutants in chosen.items():
        _run(options, module, [mutant for mutant in mutants if not is_equivalent(mutant, known)], results)
        results = Results(results.path)
    return _print_table(chosen, results, known)


def _run(options: argparse.Namespace, module: str, mutants: list[Mutant], results: Results) -> None:
    """Run a module's mutants in a process of their own, since each imports other tests."""
    paths = [*nearest_tests(options.root, module), *map(Path.resolve, options.tests)]
    tests = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:16]
    pending = results.pending(mutants, tests)
    print(f"{module}: {len(mutants)} mutants, {len(mutants) - len(pending)} have a result", flush=True)
    if not paths:
        raise SystemExit(f"{module}: no test mirrors or imports it; name test files with --tests")
    if not pending:
        return
    _print_estimate(len(pending), results)
    if child := os.fork():
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise SystemExit(f"{module}: stopped; the same command continues")
        return
    count = 0

    def report(mutant: Mutant, status: str, seconds: float) -> None:
        nonlocal count
        count += 1
        results.add(mutant.key, status, seconds, tests)
        if status == "survived":
            print(f"  survived: {_place(mutant)}", flush=True)
        if count == 10 or count % 25 == 0:
            _print_estimate(len(pending) - count, results)
        if count == options.at_most:
            os._exit(1)

    targets = sources(options.root, module)
    plugin = Runner(options.root, pending, targets, options.work.resolve() / "calls", report)
    disabled = ["-qq", "--no-summary", "-p", "no:cacheprovider", "-p", "no:xdist", "-s"]
    sys.path.insert(0, str(options.root))
    code = pytest.main([*disabled, f"--rootdir={options.root}", *map(str, paths)], plugins=[plugin])
    os._exit(0 if code == pytest.ExitCode.OK else 1)


def _print_estimate(count: int, results: Results) -> None:
    """Print how long the rest takes, measured from the mutants that have a result."""
    seconds = [entry["seconds"] for entry in results.by_key.values()]
    rest = (
        f"about {count * sum(seconds) / len(seconds) / 60:.1f} min"
        if seconds
        else "measured after the first 10"
    )
    print(f"  {count} to run; CPU time: {rest}", flush=True)


def _place(mutant: Mutant) -> str:
    path = mutant.path.relative_to(Path.cwd()) if mutant.path.is_relative_to(Path.cwd()) else mutant.path
    return f"{path}:{mutant.line}: {mutant.change}"


def _print_table(chosen: dict[str, list[Mutant]], results: Results, known: Equivalents) -> int:
    """Print the table and the survivors; return 1 if a percentage is too low or a result is missing."""
    survivors, complete = [], True
    print(
        f"\n{'module':32}{'mutants':>8}{'killed':>8}{'timeout':>8}{'survived':>9}{'equivalent':>11}{'percent':>9}"
    )
    for module, mutants in chosen.items():
        counts: Counter[str] = Counter()
        for mutant in mutants:
            entry = results.by_key.get(mutant.key, {"status": "missing"})
            status = "equivalent" if is_equivalent(mutant, known) else entry["status"]
            counts[status] += 1
            survivors += [mutant] if status == "survived" else []
        noticed = counts["killed"] + counts["timeout"]
        percent = 100 * noticed / max(noticed + counts["survived"], 1)
        complete &= percent >= KILLED_PERCENT and not counts["missing"]
        columns = f"{len(mutants) - counts['invalid']:8}{counts['killed']:8}{counts['timeout']:8}"
        print(f"{module:32}{columns}{counts['survived']:9}{counts['equivalent']:11}{percent:8.1f}%")
    for mutant in survivors:
        print(f"survived: {_place(mutant)}  [{mutant.function}, occurrence {mutant.occurrence}]")
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
