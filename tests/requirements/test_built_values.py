"""Demands on issued certificates, CRLs and files: each case of a built environment violates its own alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen import build
from pkigen.inspection.check import CheckOptions, CheckResult, check_environment
from pkigen.requirements import load_set

DEMANDS: dict[str, dict[str, Any]] = {
    "unique-key": {"public_key": {"unique": True}},
    "curve": {"public_key": {"curves": ["P-256"]}},
    "pair": {"digest": {"paired": {"P-256": "sha256"}}},
}
CASES = {
    *("unique-key-shared", "pair-pair"),
    *(f"curve-ec-{name}" for name in ("p384", "p521", "brainpoolp256r1", "secp256k1")),
    *("curve-ed25519", "curve-ed448"),
}
"""Every case that the demands have."""


def _set() -> dict[str, Any]:
    requirements = [
        {"id": name, "demand": demand, "level": "unsupported", "section": "1", "says": "It holds."}
        for name, demand in DEMANDS.items()
    ]
    source = {"title": "Own", "date": "2026"}
    return {"name": "own", "title": "Own", "source": source, "requirements": requirements}


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, CheckResult]:
    """The results of the checker by name, for a certificate and its cases."""
    folder = tmp_path_factory.mktemp("values")
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(_set()), encoding="utf-8")
    profile = {
        "name": "values",
        "base_url": "http://127.0.0.1:8080",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"sensor": {"issuer": "issuing", "subject": {"CN": "sensor.example.test"}}},
        "negatives": [{"of": "sensor", "against": str(path)}],
    }
    environment = build(profile, folder / "out")
    options = CheckOptions(now=environment.clock)
    results = check_environment(Path(environment.folder), [load_set(str(path))], options)
    return {one.name: one for one in results}


def test_the_certificate_satisfies_the_set(checked: dict[str, CheckResult]) -> None:
    assert [finding.requirement.id for finding in checked["sensor"].broken] == []


def test_each_case_violates_its_requirement_alone(checked: dict[str, CheckResult]) -> None:
    results = {name.removeprefix("sensor."): one for name, one in checked.items() if name != "sensor"}
    assert results.keys() == CASES
    violated = {name: [one.requirement.id for one in result.broken] for name, result in results.items()}
    assert [name for name, ids in violated.items() if len(ids) != 1 or not name.startswith(ids[0])] == []
