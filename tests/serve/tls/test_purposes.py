"""Certificates that are not for TLS servers are not presented, listed or exported as such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.environment import Environment
from pkigen.errors import InputError
from pkigen.export import TARGETS, ExportOptions, export
from pkigen.matrix.cases import subjects_of
from pkigen.serve.tls.case_selection import CasesByHost

PROFILE: dict[str, Any] = {
    "name": "purposes",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}},
    "certificates": {
        "client": {
            "issuer": "root",
            "subject": {"CN": "client.lab.test"},
            "extended_key_usage": ["clientAuth"],
        },
        "alice": {"issuer": "root", "subject": {"CN": "alice"}, "extended_key_usage": ["clientAuth"]},
        "responder": {
            "issuer": "root",
            "subject": {"CN": "ocsp.lab.test"},
            "extended_key_usage": ["OCSPSigning"],
        },
        "raw": {
            "issuer": "root",
            "subject": {"CN": "raw.lab.test"},
            "extended_key_usage": "none",
            "extensions": [{"oid": "2.5.29.37", "der": "300a06082b06010505070303"}],
        },
        "server": {
            "issuer": "root",
            "subject": {"CN": "server.lab.test"},
            "extended_key_usage": ["serverAuth"],
        },
        "any": {"issuer": "root", "subject": {"CN": "any.lab.test"}, "extended_key_usage": ["any"]},
        "open": {"issuer": "root", "subject": {"CN": "open.lab.test"}, "extended_key_usage": "none"},
    },
    "negatives": [{"of": "server", "faults": ["eku-client-only"]}, {"of": "client", "faults": ["expired"]}],
}
SERVERS = ["server", "any", "open", "server.eku-client-only"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(PROFILE, tmp_path_factory.mktemp("purposes"))


def test_the_endpoints_present_only_certificates_for_servers(environment: Environment) -> None:
    cases = CasesByHost.of(tuple(environment.cases()))
    assert {case.name for case in cases.hosts.values()} == {*SERVERS}
    assert cases.default.name == "server"
    assert cases.find("client.lab.test", "127.0.0.1").name == "server"
    assert cases.find("client", "127.0.0.1").name == "server"
    assert cases.find("eku-client-only.server.lab.test", "127.0.0.1").name == "server.eku-client-only"


def test_the_matrix_evaluates_only_certificates_for_servers(environment: Environment) -> None:
    assert {one.name for one in subjects_of(environment)} == {*SERVERS}


def test_server_configurations_leave_out_other_certificates(environment: Environment, tmp_path: Path) -> None:
    for target in ("nginx", "apache", "haproxy"):
        result = export(environment, TARGETS[target], ExportOptions(tmp_path / target))
        assert {"client", "alice", "responder", "raw", "client.expired"} <= {*result.left_out}, target
        assert "does not permit TLS servers" in result.left_out["client"]
        assert "server" in result.certificates


def test_the_name_of_a_person_is_no_host_name(environment: Environment) -> None:
    assert environment["alice"].hosts == ()
    assert environment["client"].hosts == ("client.lab.test",)


def test_an_environment_without_certificates_for_servers_has_no_endpoints(tmp_path: Path) -> None:
    clients = {name: PROFILE["certificates"][name] for name in ("client", "alice")}
    environment = build({**PROFILE, "certificates": clients, "negatives": []}, tmp_path)
    with pytest.raises(InputError, match="no certificate for TLS servers"):
        CasesByHost.of(tuple(environment.cases()))
