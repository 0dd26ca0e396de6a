"""pkilint judges the faults that violate rules of the CA/Browser Forum: the profile negative-cabf."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen import build, load
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from tests.pkilint.linting import WHOLE, lint

_FILE = Path(__file__).parent / "findings_of_faults.yaml"
EXPECTED: dict[str, Any] = yaml.safe_load(_FILE.read_text("utf-8"))
CABF = {one.id for one in FAULTS.values() if one.clause.startswith("CABF")}
LATER = {
    "validity-too-long-100": datetime(2027, 3, 16, tzinfo=UTC),
    "validity-too-long-47": datetime(2029, 3, 16, tzinfo=UTC),
}
_OF_ROOT = "cabf.serverauth.root.authority_key_identifier_extension_absent"
"""Recommended, and path validation does not use it in a root."""
needs_pkilint = pytest.mark.skipif(not WHOLE, reason="make pkilint runs it, with pkilint in .venv-pkilint")


def test_the_profile_has_every_fault_of_the_baseline_requirements() -> None:
    (negatives,) = load("negative-cabf").negatives
    assert {one.type.id for one in negatives.faults} == CABF


def test_every_fault_has_findings_or_a_reason() -> None:
    findings, deviations = EXPECTED["findings"], EXPECTED["deviations"]
    assert findings.keys() | deviations.keys() == CABF
    several = {fault for fault, codes in findings.items() if len(codes) > 1}
    assert several <= deviations.keys(), "one finding, or a reason for more"


def _codes(environment: Environment) -> dict[str, set[str]]:
    """The findings by case: about its certificate, and about the certificates of its copies of CAs."""
    shared = set(environment["server"].data["path"])
    owners, against, paths = list[str](), list[str](), list[Path]()
    for case in environment.cases():
        files = [("dv", case.certificate)]
        for name in case.data["path"]:
            role = "root-ca" if name.startswith("root") else "subordinate-ca"
            if name not in shared or case.name == "server":
                files.append((role, environment.folder / f"authorities/{name}/{name}.crt"))
        for role, path in files:
            owners.append(case.name)
            against.append(f"tls-br:{role}")
            paths.append(path)
    codes = {name: set[str]() for name in owners}
    for name, reported in zip(owners, lint(against, paths), strict=True):
        codes[name] |= set(reported) - {_OF_ROOT}
    return codes


@needs_pkilint
def test_pkilint_finds_nothing_in_the_base_and_in_each_case_what_it_is_made_for(tmp_path: Path) -> None:
    codes = _codes(build("negative-cabf", tmp_path, BuildOptions(keys="pool")))
    assert codes.pop("server") == set()
    codes.pop("server.key-rsa-shared-factor.twin")
    expected = {f"server.{fault}": set(EXPECTED["findings"].get(fault, ())) for fault in CABF}
    expected["server.cn-duplicate"] = {"cabf.serverauth.dv.common_name_attribute_present"}
    assert codes == expected


@needs_pkilint
@pytest.mark.parametrize("fault", LATER)
def test_pkilint_finds_a_validity_above_a_later_limit_from_its_day_on(fault: str, tmp_path: Path) -> None:
    codes = _codes(build("negative-cabf", tmp_path, BuildOptions(keys="pool", at=LATER[fault])))
    days = fault.rpartition("-")[2]
    assert codes["server"] == set()
    assert f"cabf.serverauth.certificate_validity_period_exceeds_{days}_days" in codes[f"server.{fault}"]
