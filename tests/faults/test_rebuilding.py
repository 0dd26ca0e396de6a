"""A certificate whose faults change is reissued, and this is the reported reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pkigen.environment.build.build import build
from pkigen.environment.build.options import Action
from pkigen.profile import load
from tests.faults.conftest import PROFILE

_SENSOR = PROFILE["certificates"]["sensor"]


def _reasons(folder: Path, **sensor: Any) -> dict[str, tuple[str, ...]]:
    document = {**PROFILE, "certificates": {"sensor": {**_SENSOR, **sensor}}, "negatives": []}
    changes = build(load(document), folder).summary.changes
    return {change.id: change.reasons for change in changes if change.action is Action.REISSUE}


def test_that_its_faults_changed_is_reported_and_not_that_its_validity_did(tmp_path: Path) -> None:
    assert _reasons(tmp_path) == {}
    assert _reasons(tmp_path, faults=["pem-crlf"]) == {"certificates/sensor": ("its faults changed",)}
    assert _reasons(tmp_path, faults=["pem-cr-only"]) == {"certificates/sensor": ("its faults changed",)}
    assert _reasons(tmp_path, faults=["pem-cr-only"]) == {}


def test_that_its_validity_changed_is_still_told_of_a_certificate_with_a_fault(tmp_path: Path) -> None:
    _reasons(tmp_path, faults=["pem-crlf"])
    assert _reasons(tmp_path, faults=["pem-crlf"], valid="30d") == {
        "certificates/sensor": ("its validity changed",)
    }
