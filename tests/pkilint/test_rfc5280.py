"""pkilint's linters of RFC 5280 and RFC 6960 judge the whole catalog and the shipped profiles."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

from pkigen import build
from pkigen.documents import shipped
from pkigen.environment.build.options import BuildOptions
from pkigen.faults import FAULTS
from tests.pkilint.linted_environment import SOUND, codes_by_fault
from tests.pkilint.linting import PYTHON, WHOLE

_RECORD: dict[str, list[dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("findings_rfc5280.yaml").read_text("utf-8")
)
_PROFILES: dict[str, list[str]] = yaml.safe_load(
    Path(__file__).with_name("findings_of_profiles.yaml").read_text("utf-8")
)
EXPECTED = {
    fault: set(entry["codes"])
    for kind in ("findings", "deviations")
    for entry in _RECORD[kind]
    for fault in entry["faults"]
}
SILENT = {fault for entry in _RECORD["silent"] for fault in entry["faults"]}
_WITH_FAULTS = ("negative", "negative-cabf", "negative-upload", "pkits", "bettertls")
"""Profiles of faults; the paths of `pkits` and `bettertls` are invalid on purpose."""
_SAMPLE = 40
needs_pkilint = pytest.mark.skipif(
    not PYTHON, reason="needs pkilint in .venv-pkilint; make pkilint installs it"
)
needs_time = pytest.mark.skipif(not WHOLE, reason="make pkilint runs it, with pkilint in .venv-pkilint")


def test_every_fault_has_findings_or_a_reason() -> None:
    """A linter examines single files: it must detect the faults of the stages lint and parse."""
    listed = Counter(
        fault
        for kind in ("findings", "deviations", "silent")
        for entry in _RECORD[kind]
        for fault in entry["faults"]
    )
    assert listed.keys() <= FAULTS.keys()
    assert [fault for fault, times in listed.items() if times > 1] == []
    visible = {
        one.id
        for one in FAULTS.values()
        if one.verdict != "A" and (one.stage in ("lint", "parse") or one.verdict == "P")
    }
    assert visible - listed.keys() == set()


def test_a_control_has_no_findings_without_a_reason() -> None:
    listed = {fault for entry in _RECORD["findings"] for fault in entry["faults"]}
    assert {fault for fault in listed if FAULTS[fault].verdict == "A"} == set()
    assert all(entry["reason"].endswith(".") for kind in ("deviations", "silent") for entry in _RECORD[kind])


@needs_pkilint
def test_pkilint_finds_in_a_sample_what_is_recorded(tmp_path: Path) -> None:
    faults = Random("pkilint").sample(sorted(FAULTS), _SAMPLE)
    codes = _codes(tmp_path, faults)
    assert codes == {fault: EXPECTED.get(fault, set()) for fault in (SOUND, *faults)}


@needs_time
def test_pkilint_finds_in_every_case_what_it_is_made_for_and_nothing_in_the_base(tmp_path: Path) -> None:
    codes = _codes(tmp_path, "all")
    assert codes == {fault: EXPECTED.get(fault, set()) for fault in (SOUND, *FAULTS)}


@needs_time
@pytest.mark.parametrize("name", [name for name in shipped.names() if name not in _WITH_FAULTS])
def test_pkilint_finds_nothing_in_what_a_shipped_profile_issues(name: str, tmp_path: Path) -> None:
    codes = codes_by_fault(build(name, tmp_path, BuildOptions(keys="pool")))
    assert codes[SOUND] == set(_PROFILES.get(name, ()))


def _codes(folder: Path, faults: object) -> dict[str, set[str]]:
    profile = yaml.safe_load(shipped.path("negative").read_text("utf-8"))
    profile["negatives"] = [{"of": "sensor", "faults": faults}]
    return codes_by_fault(build(profile, folder, BuildOptions(keys="pool")))
