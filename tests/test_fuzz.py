"""A short run of ``make fuzz``, and every input that once broke something."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.running import feed, made, peak_memory, run
from fuzz.targets import BINARY, TEXT, name_of
from fuzz.workers import run_all
from tests.tools import ROOT

REGRESSIONS = sorted(path for path in (ROOT / "fuzz" / "regressions").iterdir() if path.suffix != ".md")


def test_mutated_inputs_give_findings_or_refusals_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.running.LONGEST", 30.0)  # no limit on speed, but the test must end
    outcome = run(20261123, range(1_500), others=peak_memory())
    assert [(number, words) for number, words, _ in outcome.findings] == []


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: str(path.name))
def test_what_once_broke_something_does_so_no_more(path: Path, tmp_path: Path) -> None:
    targets = {name_of(target): target for target in (TEXT if path.suffix == ".yaml" else BINARY)}
    for target in targets.values():
        assert feed(path.read_bytes(), target, tmp_path) == ""


def test_workers_find_what_one_process_finds() -> None:
    done = list[int]()
    outcome = run_all(20261123, 60, done.append, jobs=2)
    assert (outcome.inputs, done[-1], outcome.findings) == (60, 60, ())


def test_every_input_follows_from_its_number_and_the_seed() -> None:
    assert [made(7, number)[0] for number in range(200)] == [made(7, number)[0] for number in range(200)]
    assert made(7, 1)[0] != made(8, 1)[0]
