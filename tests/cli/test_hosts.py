"""``pkigen hosts``, and the TLS endpoints of ``pkigen serve`` in the foreground."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from pkigen import build
from tests.cli.conftest import Cli, finish, start

PROFILE = {
    "name": "contoso",
    "authorities": {"root": {"key": "ec-p256"}, "issuing": {"issuer": "root", "key": "ec-p256"}},
    "certificates": {
        "sensor": {
            "issuer": "issuing",
            "key": "ec-p256",
            "subject": {"CN": "sensor.contoso.test"},
            "san": ["dns:sensor.contoso.test", "ip:10.1.0.10"],
        },
        "edge": {"issuer": "issuing", "key": "ec-p256", "san": ["dns:*.Edge.contoso.test"]},
        "twin": {"issuer": "issuing", "key": "ec-p256", "san": ["dns:sensor.contoso.test"]},
    },
    "negatives": [{"of": "sensor", "faults": ["expired", "chain-expired-cross-plus-valid"]}],
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build({**PROFILE, "negatives": []}, tmp_path_factory.mktemp("hosts")).folder


def test_each_line_is_one_of_a_hosts_file(cli: Cli, environment: Path) -> None:
    outcome = cli("hosts", environment, "--tls-port", 8444)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "127.0.0.1 sensor.contoso.test  # https://sensor.contoso.test:8444/ sensor: accept",
        "127.0.0.1 any.edge.contoso.test  # https://any.edge.contoso.test:8444/ edge: accept",
    ]


def test_json_has_the_same_names(cli: Cli, environment: Path) -> None:
    result = json.loads(cli("hosts", environment, "--json", "--address", "::1").out)
    assert [(one["name"], one["host"], one["address"], one["expected"]) for one in result] == [
        ("sensor", "sensor.contoso.test", "::1", "accept"),
        ("edge", "any.edge.contoso.test", "::1", "accept"),
    ]
    assert all(Path(path).is_file() for one in result for path in one["trust"])


def test_only_certificates_for_servers_are_listed(cli: Cli, tmp_path: Path) -> None:
    common = {"issuer": "root", "key": "ec-p256"}
    certificates = {
        "client": {**common, "subject": {"CN": "client.test"}, "extended_key_usage": ["clientAuth"]},
        "server": {**common, "subject": {"CN": "server.test"}},
    }
    faults = [{"of": "server", "faults": ["eku-client-only"]}, {"of": "client", "faults": ["expired"]}]
    root = {"root": {"key": "ec-p256"}}
    profile = {"name": "mixed", "authorities": root, "certificates": certificates, "negatives": faults}
    listed = cli("hosts", build(profile, tmp_path / "out").folder, "--json").out
    assert {one["name"] for one in json.loads(listed)} == {"server", "server.eku-client-only"}


def test_an_address_that_is_none_is_refused(cli: Cli, environment: Path) -> None:
    outcome = cli("hosts", environment, "--address", "localhost")
    assert (outcome.code, outcome.out) == (2, "")
    assert "'localhost' is not an IP address" in outcome.err
    assert cli("hosts", environment, "--address", "::1").code == 0


def test_an_environment_without_names_is_reported(cli: Cli, tmp_path: Path) -> None:
    folder = build({"name": "ca", "authorities": {"root": {"key": "ec-p256"}}}, tmp_path / "out").folder
    outcome = cli("hosts", folder)
    assert (outcome.code, outcome.out) == (0, "")
    assert "No certificate" in outcome.err


@pytest.mark.needs("curl")
def test_the_curl_commands_work_at_what_serve_presents(tmp_path: Path, cli: Cli) -> None:
    folder = build(PROFILE | {"name": "served"}, tmp_path / "my out").folder
    process = start("serve", folder, "--port", "0", "--tls-port", "0", "--json")
    assert process.stdout is not None
    try:
        announced = json.loads(process.stdout.readline())
        assert announced["tls_url"] == f"https://127.0.0.1:{announced['tls_port']}"
        commands = cli("hosts", folder, "--tls-port", announced["tls_port"], "--curl").out.splitlines()
        outcomes = {}
        for command in commands:
            done = subprocess.run(
                ["bash", "-c", command.replace("curl ", "curl -sS ", 1)],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            outcomes[command.rpartition("# ")[2].partition(":")[0]] = done.stdout[:6] or done.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        outcome = finish(process)
    assert outcomes.pop("sensor.expired").startswith("curl: (60) SSL certificate problem")
    assert outcomes == {
        "sensor": "sensor",
        "edge": "edge\nC",
        "sensor.chain-expired-cross-plus-valid": "sensor",
    }
    assert outcome.code == 0
    assert f"pkigen hosts {folder} --tls-port {announced['tls_port']} --curl" in outcome.err
    assert "sensor.expired: rejected by the client: certificate_expired" in outcome.err
    assert outcome.err.splitlines()[-1] == "Stopped."
    assert "Traceback" not in outcome.err
    assert "PRIVATE KEY" not in outcome.err


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_both_servers_end_with_either_signal(environment: Path, ending: signal.Signals) -> None:
    process = start("serve", environment, "--port", "0", "--tls-port", "0")
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"http://127.0.0.1:")
    process.send_signal(ending)
    outcome = finish(process)
    assert (outcome.code, outcome.err.splitlines()[-1]) == (0, "Stopped.")
