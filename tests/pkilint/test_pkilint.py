"""pkilint judges the profiles tls-br and smime-br-strict: sound certificates, and each negative case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen.cases.case import name_of_copy
from tests.environment.profiles import build_it, manifest
from tests.pkilint.linting import WHOLE, lint

pytestmark = pytest.mark.skipif(
    not WHOLE, reason="make pkilint runs these tests, with pkilint in .venv-pkilint"
)
_EXPECTED = yaml.safe_load((Path(__file__).parent / "findings.yaml").read_text())


@dataclass(frozen=True)
class _Linted:
    name: str
    sound: dict[str, list[str]]
    cases: dict[str, tuple[str, list[str]]]
    """The first violated requirement of each case, and the findings of pkilint."""


@pytest.fixture(params=["tls-br", "smime-br-strict"], scope="module")
def linted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> _Linted:
    name = request.param
    folder = build_it(name, tmp_path_factory.mktemp(name), keys="pool").folder
    built = manifest(folder)
    authorities = {one["name"]: one for one in built["authorities"]}
    own = [
        one
        for one in (*built["authorities"], *built["cases"])
        if one.get("requirements") and "fault" not in one
    ]
    faulty = [one for one in built["cases"] if "fault" in one]
    against = [one["requirements"][0] for one in own] + [one["fault"]["against"] for one in faulty]
    checked = [*own, *(_with_the_defect(one, authorities) for one in faulty)]
    codes = lint(against, [folder / one["files"]["certificate"] for one in checked])
    sound = {one["name"]: codes.pop(0) for one in own}
    return _Linted(name, sound, {one["name"]: (one["fault"]["violates"][0], codes.pop(0)) for one in faulty})


def _with_the_defect(case: dict[str, Any], authorities: dict[str, dict[str, Any]]) -> dict[str, Any]:
    authority = case["fault"].get("authority")
    return authorities[name_of_copy(authority, case["name"])] if authority else case


def test_pkilint_has_no_finding_for_certificates_without_a_fault(linted: _Linted) -> None:
    assert len(linted.sound) >= 4
    permitted = _EXPECTED["sound"]
    assert {name: codes for name, codes in linted.sound.items() if codes != permitted.get(name, [])} == {}


def test_pkilint_finds_what_each_case_violates_and_nothing_else(linted: _Linted) -> None:
    expected, deviations = _EXPECTED[linted.name], tuple(_EXPECTED["deviations"])
    of_root = set(_EXPECTED["sound"]["root"])
    codes = {name: set(findings) - of_root for name, (_, findings) in linted.cases.items()}
    missed = [name for name, findings in codes.items() if not findings and not name.endswith(deviations)]
    assert missed == []
    unexpected = {
        name: sorted(codes[name].difference(expected.get(requirement, [])))
        for name, (requirement, _) in linted.cases.items()
    }
    assert {name: further for name, further in unexpected.items() if further} == {}
