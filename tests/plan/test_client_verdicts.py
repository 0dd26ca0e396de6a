"""The verdicts of TLS clients on cases of requirement sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from tests.environment.profiles import manifest

_SET = """
name: clients
title: What TLS clients check
source: {title: a test, date: "2026-01-01", url: "https://example.test/"}
requirements:
  - id: purpose
    demand: {extended_key_usage: {contains: [serverAuth, clientAuth]}}
    level: rejected
    says: The certificate is for TLS servers and clients.
  - id: names
    demand: {san: {required: true}}
    level: rejected
    says: The certificate has alternative names.
  - id: issuer
    of: issuing-authority
    demand: {basic_constraints: {ca: true}}
    level: rejected
    says: The issuer is a CA.
  - id: chain
    demand: {chain_file: {issued_by: true}}
    level: rejected
    says: The chain contains the CA that issued the certificate.
"""


@pytest.mark.parametrize(
    ("issuer", "common_name", "expected"),
    [
        ("issuing", "Sensor 1", {"purpose-no-serverauth": "reject", "names-missing": "reject"}),
        ("issuing", "sensor.test", {"purpose-no-clientauth": "accept", "names-missing": "varies"}),
        ("issuing", "sensor.test", {"issuer-no-ca": "reject"}),
        ("root", "sensor.test", {"issuer-no-ca": "varies", "chain-other-ca": "accept"}),
        ("issuing", "sensor.test", {"chain-other-ca": "reject"}),
    ],
)
def test_a_case_has_the_verdict_that_tls_clients_reach(
    tmp_path: Path, issuer: str, common_name: str, expected: dict[str, str]
) -> None:
    (tmp_path / "clients.yaml").write_text(_SET)
    certificate: dict[str, Any] = {
        "issuer": issuer,
        "subject": {"CN": common_name},
        "san": ["dns:sensor.test"],
        "extended_key_usage": ["serverAuth", "clientAuth"],
    }
    profile = {
        "name": "clients",
        "defaults": {"key": "ec-p256"},
        "authorities": {"root": {}, "issuing": {"issuer": "root"}},
        "certificates": {"sensor": certificate},
        "negatives": [{"of": "sensor", "against": str(tmp_path / "clients.yaml")}],
    }
    cases = manifest(build(profile, tmp_path / "out").folder)["cases"]
    verdicts = {case["fault"]["id"]: case["verdict"]["expected"] for case in cases if "fault" in case}
    assert {fault: verdicts.get(fault) for fault in expected} == expected
