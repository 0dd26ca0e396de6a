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


def test_a_changed_fault_is_reported_instead_of_the_changed_validity(tmp_path: Path) -> None:
    assert _reasons(tmp_path) == {}
    assert _reasons(tmp_path, faults=["pem-crlf"]) == {"certificates/sensor": ("its faults changed",)}
    assert _reasons(tmp_path, faults=["pem-cr-only"]) == {"certificates/sensor": ("its faults changed",)}
    assert _reasons(tmp_path, faults=["pem-cr-only"]) == {}


def test_a_changed_validity_of_a_faulty_certificate_is_reported(tmp_path: Path) -> None:
    _reasons(tmp_path, faults=["pem-crlf"])
    assert _reasons(tmp_path, faults=["pem-crlf"], valid="30d") == {
        "certificates/sensor": ("its validity changed",)
    }
