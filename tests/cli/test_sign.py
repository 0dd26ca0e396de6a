"""``pkigen sign``: certificates for requests, by command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.certification_requests import request
from tests.cli.conftest import Cli, start


@pytest.fixture
def built(cli: Cli, profile: Path) -> Path:
    assert cli("build", profile).code == 0
    Path("device.csr").write_bytes(request("device.contoso.test", ["device.contoso.test", "10.0.0.7"]))
    return Path("out/contoso")


def test_the_request_is_shown_and_the_certificate_is_stored_without_a_key(cli: Cli, built: Path) -> None:
    outcome = cli("sign", built, "--csr", "device.csr")
    assert outcome.code == 0
    assert "The request device.csr asks for:" in outcome.err
    assert "dns:device.contoso.test, ip:10.0.0.7" in outcome.err
    assert "out/contoso/certificates/device.contoso.test/device.contoso.test.crt" in outcome.out
    assert not list(built.glob("certificates/device.contoso.test/*.key"))


def test_the_json_names_the_certificate_and_what_was_requested(cli: Cli, built: Path) -> None:
    outcome = cli("sign", built, "--csr", "device.csr", "--name", "gauge", "--json")
    document = json.loads(outcome.out)
    assert document["name"] == "gauge"
    assert document["issuer"] == "root"
    assert document["request"]["key"] == "ec-p256"


def test_a_rejected_request_exits_with_1_and_an_unreadable_one_with_2(cli: Cli, built: Path) -> None:
    data = bytearray(Path("device.csr").read_bytes())
    data[-60] = ord("A") if data[-60] != ord("A") else ord("B")
    Path("forged.csr").write_bytes(data)
    Path("noise.csr").write_bytes(b"noise")
    forged, noise = cli("sign", built, "--csr", "forged.csr"), cli("sign", built, "--csr", "noise.csr")
    assert (forged.code, noise.code) == (1, 2)
    assert "proved that it has the key" in forged.err
    assert "noise.csr: the file is not a certification request" in noise.err
    assert cli("sign", built, "--csr", "missing.csr").code == 2


def test_a_request_comes_from_standard_input(built: Path) -> None:
    data = Path("device.csr").read_bytes()
    process = start("sign", built, "--csr", "-", "--name", "piped", stdin=subprocess.PIPE)
    output, errors = process.communicate(data, timeout=60)
    assert process.returncode == 0, errors
    assert b"certificates/piped/piped.crt" in output


def test_an_unknown_fault_is_an_error_of_the_user(cli: Cli, built: Path) -> None:
    outcome = cli("sign", built, "--csr", "device.csr", "--fault", "expird")
    assert outcome.code == 2
    assert "expird" in outcome.err


def test_the_other_commands_work_without_the_key(cli: Cli, built: Path) -> None:
    assert cli("sign", built, "--csr", "device.csr", "--name", "gauge").code == 0
    certificate = built / "certificates/gauge/gauge.crt"
    chain = built / "certificates/gauge/chain.pem"
    assert cli("verify", certificate, "--chain", chain, "--trust", built / "trust.pem").code == 0
    assert cli("check", built, "--against", "rfc5280").code == 0
    assert "it has no key file (gauge)" in cli("export", built, "--to", "nginx").err
    assert "gauge is issued again" in cli("renew", built, "gauge").err
    broken = cli("break", built, "gauge", "--fault", "expired")
    assert broken.code == 2
    assert "pkigen sign ENV --csr FILE --fault ID" in broken.err
    assert cli("revoke", built, "gauge").code == 0
    assert "gauge" not in cli("hosts", built).out


def test_several_issuers_need_a_choice(cli: Cli, built: Path, profile: Path) -> None:
    text = profile.read_text().replace("authorities:\n", "authorities:\n  other: {issuer: root}\n")
    profile.write_text(text + "  gauge: {issuer: other}\n")
    assert cli("build", profile).code == 0
    outcome = cli("sign", built, "--csr", "device.csr")
    assert outcome.code == 2
    assert "root, other; select one with --issuer" in outcome.err
    assert cli("sign", built, "--csr", "device.csr", "--issuer", "other").code == 0
