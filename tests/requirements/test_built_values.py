"""Demands on issued certificates, CRLs and files: each case of a built environment violates its own alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from pkigen import build
from pkigen.inspection.check import CheckOptions, CheckResult, check_environment
from pkigen.requirements import load_set

ROLE = "1.3.6.1.4.1.50316.802.1"
DEMANDS: dict[str, dict[str, Any]] = {
    "unique-key": {"public_key": {"unique": True}},
    "curve": {"public_key": {"curves": ["P-256"]}},
    "pair": {"digest": {"paired": {"P-256": "sha256"}}},
    "ski": {"subject_key_identifier": {"length": 20, "method_1": True}},
    "aki": {"authority_key_identifier": {"length": 20}},
    "role": {
        "extension": {"oid": ROLE, "type": "UTF8String", "once": True, "required": True, "value": "Operator"}
    },
    "points": {"crl_distribution_point": {"exactly": 1}},
    "no-ocsp": {"aia": {"forbidden": ["ocsp"]}},
    "crl-age": {"crl": {"maximum_age": "10d"}},
    "crl-size": {"crl": {"maximum_bytes": 1500}},
    "crl-issuer": {"crl": {"issuer_key_identifier": True}},
    "crl-base": {"crl": {"delta_base": True}},
    "file-size": {"certificate_file": {"maximum_bytes": 4000}},
    "chain-size": {"chain_file": {"maximum_bytes": 5000}},
    "policy-limits": {
        "policy_constraints": {
            "critical": True,
            "require_explicit_policy": 3,
            "inhibit_policy_mapping": 0,
            "required": True,
        }
    },
}
CASES = {
    *("unique-key-shared", "pair-pair"),
    *(f"curve-ec-{name}" for name in ("p384", "p521", "brainpoolp256r1", "secp256k1")),
    *("curve-ed25519", "curve-ed448", "ski-length", "ski-other", "aki-length", "points-too-many"),
    *("role-missing", "role-repeated", "role-type", "role-value", "no-ocsp-ocsp"),
    *("crl-age-age", "crl-size-size", "crl-issuer-key-identifier", "crl-base-no-base"),
    *("file-size-file-size", "chain-size-file-size"),
    *(f"policy-limits-{name}" for name in ("missing", "criticality", "explicit", "mapping")),
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
        "certificates": {
            "sensor": {
                "issuer": "issuing",
                "subject": {"CN": "sensor.example.test"},
                "extensions": [{"oid": ROLE, "der": b"\x0c\x08Operator".hex()}],
                "policy_constraints": {"require_explicit": 3, "inhibit_mapping": 0},
            }
        },
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
    assert not any(result.unread for result in results.values())
    violated = {name: [one.requirement.id for one in result.broken] for name, result in results.items()}
    assert [name for name, ids in violated.items() if len(ids) != 1 or not name.startswith(ids[0])] == [], (
        violated
    )
