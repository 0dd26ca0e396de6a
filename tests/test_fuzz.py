"""A short run of ``make fuzz``, and every input that once broke something."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.running import feed, made, peak_memory, run
from fuzz.targets import BINARY, TEXT, name_of
from fuzz.workers import run_all
from tests.tools import ROOT

REGRESSIONS = sorted(path for path in (ROOT / "fuzz" / "regressions").iterdir() if path.suffix != ".md")


def test_mutated_inputs_cause_findings_or_errors_and_no_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.running.LONGEST", 30.0)  # no limit on speed, but the test must end
    outcome = run(20261123, range(1_500), others=peak_memory())
    assert [(number, words) for number, words, _ in outcome.findings] == []


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: str(path.name))
def test_inputs_of_earlier_defects_are_handled(path: Path, tmp_path: Path) -> None:
    targets = {name_of(target): target for target in (TEXT if path.suffix == ".yaml" else BINARY)}
    for target in targets.values():
        assert feed(path.read_bytes(), target, tmp_path) == ""


def test_workers_and_a_single_process_find_the_same() -> None:
    done = list[int]()
    outcome = run_all(20261123, 60, done.append, jobs=2)
    assert (outcome.inputs, done[-1], outcome.findings) == (60, 60, ())


def test_every_input_follows_from_its_number_and_the_seed() -> None:
    assert [made(7, number)[0] for number in range(200)] == [made(7, number)[0] for number in range(200)]
    assert made(7, 1)[0] != made(8, 1)[0]
