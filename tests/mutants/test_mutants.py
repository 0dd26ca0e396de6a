"""The mutation runner: which mutants it lists and samples, which it kills, and that it resumes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.__main__ import Results, equivalents, is_equivalent, selected_mutants
from tests.mutants.nearest import nearest_tests
from tests.mutants.operators import Mutant, mutants_of, mutated_code
from tests.tools import ROOT

_SOURCE = '''
"""A module."""
from functools import lru_cache

LIMIT = 3

@lru_cache
def is_small(number: int, limit: int = 4) -> bool:
    """Return whether a number is small."""
    if number < 0:
        raise ValueError("negative")
    return number < LIMIT

class Box:
    sizes = {"double": lambda size: size * 2}

    def untested(self) -> int:
        return 5
'''
_TESTS = """
import pytest
from toy.sizes import Box, is_small

def test_sizes():
    assert [is_small(number) for number in (0, 2, 3)] == [True, True, False]
    assert Box.sizes["double"](3) == 6
    with pytest.raises(ValueError):
        is_small(-1)
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A source tree with one module and its tests."""
    for path, text in {"toy/__init__.py": "", "toy/sizes.py": _SOURCE, "tests/test_sizes.py": _TESTS}.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    return tmp_path


def _run(toy: Path, *arguments: str) -> tuple[int, str]:
    """Return the exit code and the output of a run over the module of the source tree."""
    command = [sys.executable, "-m", "tests.mutants", "toy.sizes", *arguments]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=toy, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _changes(mutants: list[Mutant]) -> list[str]:
    return [f"{mutant.function}: {mutant.change}" for mutant in mutants]


def test_function_bodies_are_mutated_and_texts_of_errors_are_not(toy: Path) -> None:
    mutants = mutants_of("toy.sizes", toy / "toy" / "sizes.py")
    assert _changes(mutants) == [
        "is_small: number < 0 -> number <= 0",
        "is_small: 0 -> 1",
        "is_small: raise ValueError('negative') -> pass",
        "is_small: return number < LIMIT -> return None",
        "is_small: number < LIMIT -> number <= LIMIT",
        "Box.<lambda>: size * 2 -> size / 2",
        "Box.<lambda>: 2 -> 3",
        "Box.untested: return 5 -> return None",
        "Box.untested: 5 -> 6",
    ]
    assert all(mutated_code(mutant)[2] is not None for mutant in mutants)
    assert len({mutant.key for mutant in mutants}) == len(mutants)


def test_a_sample_depends_only_on_its_seed(toy: Path) -> None:
    first, again, other = (_changes(selected_mutants(toy, "toy", 4, seed)) for seed in ("1", "1", "2"))
    assert first == again != other
    assert len(first) == len(set(first)) == 4


def test_a_change_of_one_function_keeps_the_sampled_mutants_of_the_others(toy: Path) -> None:
    def boxes(seed: str) -> set[str]:
        return {one for one in _changes(selected_mutants(toy, "toy", 5, seed)) if one.startswith("Box")}

    source, seeds = toy / "toy" / "sizes.py", "12345"
    before = [boxes(seed) for seed in seeds]
    text = source.read_text("utf-8")
    source.write_text(
        text.replace("return number < LIMIT", "number += 1\n    return number < LIMIT"), "utf-8"
    )
    after = [boxes(seed) for seed in seeds]
    assert all(one <= other or other <= one for one, other in zip(before, after, strict=True))
    assert any(before)


def test_a_run_stops_resumes_and_lists_the_survivors(toy: Path) -> None:
    code, output = _run(toy, "--at-most", "2")
    assert code == 1
    assert "9 mutants, 0 have a result" in output
    assert "stopped; the same command continues" in output
    results = (toy / ".mutants" / "results.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["status"] for line in results] == ["killed", "killed"]
    code, output = _run(toy)
    assert code == 1
    assert "9 mutants, 2 have a result" in output
    assert "7 to run; CPU time: about" in output
    assert output.count("\nsurvived: toy/sizes.py:18: ") == 2
    assert output.split("percent\n")[1].split()[:7] == ["toy.sizes", "9", "7", "0", "2", "0", "77.8%"]


def test_a_survivor_runs_again_after_its_tests_change_and_a_killed_mutant_does_not(toy: Path) -> None:
    first, second, third, *_ = mutants = mutants_of("toy.sizes", toy / "toy" / "sizes.py")
    results = Results(toy / "results.jsonl")
    results.add(first.key, "killed", 0.1, "tests 1")
    results.add(second.key, "survived", 0.1, "tests 1")
    resumed = Results(toy / "results.jsonl")
    assert resumed.pending(mutants[:3], "tests 1") == [third]
    assert resumed.pending(mutants[:3], "tests 2") == [second, third]


_SHARED = """
import pytest
from toy.sizes import is_small

@pytest.fixture(scope="module")
def limit():
    sum(range(10**6))
    return 3

def test_below(limit):
    assert is_small(limit - 1)

def test_again(limit):
    assert is_small(limit - 1)
"""


def test_each_test_is_recorded_with_its_cached_functions_and_its_shared_fixtures(toy: Path) -> None:
    (toy / "tests" / "test_sizes.py").write_text(_SHARED, "utf-8")
    code, _ = _run(toy, "--at-most", "1")
    assert code == 1
    (recording,) = (toy / ".mutants" / "calls").glob("*.jsonl")
    below, again = map(json.loads, recording.read_text("utf-8").splitlines())
    assert below["calls"] == again["calls"] == ["toy.sizes:is_small"]
    assert below["fixtures"] == again["fixtures"] != {}
    assert sum(below["fixtures"].values()) > 0


_ORDERED = """
from toy.sizes import is_small

known = []

def test_first():
    known.append(is_small(2))

def test_second():
    assert known
    assert is_small(1) is not None
"""


def test_a_test_that_fails_alone_kills_nothing(toy: Path) -> None:
    (toy / "tests" / "test_sizes.py").write_text(_ORDERED, "utf-8")
    _, output = _run(toy)
    assert "left out, since it fails without a change: tests/test_sizes.py::test_second" in output
    assert "survived: toy/sizes.py:12: return number < LIMIT -> return None" in output


def test_nearest_tests_mirror_the_module_or_import_it() -> None:
    assert nearest_tests(ROOT, "pkigen.asn1.der") == [ROOT / "tests" / "test_der.py"]
    assert ROOT / "tests/store/test_store.py" in nearest_tests(ROOT, "pkigen.store")
    assert nearest_tests(ROOT, "pkigen.revocation.crl") == [ROOT / "tests/revocation/test_crl.py"]
    assert {path.name for path in nearest_tests(ROOT, "pkigen.asn1")} >= {"test_der.py", "test_names.py"}
    beside = {path.name for path in nearest_tests(ROOT, "pkigen.environment.build")}
    assert {"test_rebuild.py", "test_reissue_reasons.py"} <= beside
    assert "test_manifest.py" not in beside


def test_every_equivalent_mutant_exists_and_has_a_reason() -> None:
    known = equivalents()
    mutants = [
        mutant
        for module in {module for module, *_ in known}
        for mutant in selected_mutants(ROOT, module, 0, "")
        if is_equivalent(mutant, known)
    ]
    assert len(mutants) == len(known), "equivalent.yaml: remove or correct the entries of changed functions"
    assert all(known.values())
