"""OCSP answers that are wrong: signed in the build, and judged by openssl as a client's verifier."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment
from pkigen.faults import FAULTS
from tests.faults.conftest import PROFILE

pytestmark = pytest.mark.needs("openssl")

OCSP = {**PROFILE, "negatives": [{"of": "sensor", "faults": ["ocsp/*"]}]}
IDS = [one.id for one in FAULTS.values() if one.family == "ocsp"]

# Where openssl ocsp accepts a response of class R in the catalog, and why.
OPENSSL_TAKES = {
    "ocsp-critical-extension": "it does not look at extensions of answers",
    "ocsp-critical-single-ext": "the same",
    "ocsp-nonce-wrong": "it compares nonces with a request, and has none when it reads a file",
}
# What class V says nothing about: openssl takes these, and refuses the others of the class.
TAKEN = {
    "ocsp-nonce-missing",
    "ocsp-delegate-revoked",
    "ocsp-no-next-update-old",
    "ocsp-good-and-revoked",
    "ocsp-version-2",
    "ocsp-sha1-signature",
    "ocsp-produced-early",
    "ocsp-produced-late",
    "ocsp-trailing-data",
    "ocsp-http-404",
    "ocsp-http-500",
    "ocsp-slow",
    "stapled-missing",
}
WORDS = {
    "ocsp-revoked": "revoked",
    "ocsp-unknown": "unknown",
    "ocsp-stale": "status expired",
    "ocsp-future": "status not yet valid",
    "ocsp-bad-signature": "signature failure",
    "ocsp-certid-serial": "No Status found",
    "ocsp-certid-namehash": "No Status found",
    "ocsp-certid-keyhash": "No Status found",
    "ocsp-empty-responses": "No Status found",
    "ocsp-delegate-missing": "signer certificate not found",
    "ocsp-delegate-no-eku": "missing ocspsigning usage",
    "ocsp-delegate-wrong-eku": "missing ocspsigning usage",
    "ocsp-unrelated-responder": "self-signed certificate",
    "ocsp-status-unauthorized": "unauthorized (6)",
    "ocsp-no-bytes": "no response data",
    "ocsp-bad-type": "not basic response",
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(OCSP, tmp_path_factory.mktemp("ocsp"))


def _case(environment: Environment, fault: str) -> dict[str, Any]:
    return next(case.data for case in environment.cases() if case.name == f"sensor.{fault}")


def _openssl_output(environment: Environment, fault: str) -> str:
    case, folder = _case(environment, fault), environment.folder
    issuer = folder / "authorities" / case["path"][0] / f"{case['path'][0]}.crt"
    command = ["openssl", "ocsp", "-respin", str(folder / case["ocsp"]["file"]), "-no_nonce"]
    command += ["-issuer", str(issuer), "-cert", str(folder / case["files"]["certificate"])]
    command += ["-CAfile", str(environment.trust)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def _taken(output: str) -> bool:
    """Return whether openssl accepts the response; it always exits with 0, so its output decides."""
    return "Response verify OK" in output and ": good" in output and "invalid" not in output


@pytest.mark.parametrize("fault", IDS)
def test_openssl_accepts_a_response_if_the_class_of_the_fault_permits_it(
    fault: str, environment: Environment
) -> None:
    output = _openssl_output(environment, fault)
    verdict = FAULTS[fault].verdict
    is_expected = verdict in "AP" or fault in OPENSSL_TAKES or (verdict == "V" and fault in TAKEN)
    assert _taken(output) is is_expected, output
    assert WORDS.get(fault, "") in output


@pytest.mark.parametrize("fault", IDS)
def test_the_certificate_and_its_crl_have_no_fault(
    fault: str, environment: Environment, tmp_path: Path
) -> None:
    case, folder = _case(environment, fault), environment.folder
    crls = tmp_path / "crls.pem"
    crls.write_bytes(b"".join((folder / f"authorities/{n}/{n}.crl").read_bytes() for n in case["path"]))
    command = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-CRLfile", str(crls)]
    command += ["-CAfile", str(environment.trust), "-untrusted", str(folder / case["files"]["chain"])]
    command += [str(folder / case["files"]["certificate"])]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_certificate_names_the_url_that_the_manifest_names(environment: Environment) -> None:
    case = _case(environment, "ocsp-good")
    certificate = environment.folder / case["files"]["certificate"]
    command = ["openssl", "x509", "-noout", "-ocsp_uri", "-in", str(certificate)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.strip() == case["ocsp"]["url"] == "http://127.0.0.1:8080/ocsp/sensor.ocsp-good"


def test_the_fault_of_the_server_is_in_the_manifest(environment: Environment) -> None:
    case = _case(environment, "ocsp-http-404")
    assert case["serving"] == [{"url": case["ocsp"]["url"], "how": "status", "argument": "404"}]
    assert case["ocsp"]["file"] == "certificates/sensor.ocsp-http-404/sensor.ocsp-http-404.ocsp"


def _answers(environment: Environment) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in environment.folder.rglob("*.ocsp")}


def test_a_second_build_signs_nothing_again_and_restores_a_lost_response(tmp_path: Path) -> None:
    before = build(OCSP, tmp_path)
    responses = _answers(before)
    assert len(responses) == len(IDS)
    assert _answers(build(OCSP, tmp_path)) == responses
    lost = before.folder / _case(before, "ocsp-good")["ocsp"]["file"]
    lost.unlink()
    again = _answers(build(OCSP, tmp_path))
    assert again.keys() == responses.keys()
    assert [name for name in again if again[name] != responses[name]] in ([], [lost.name])


def test_a_response_without_a_fault_is_refreshed_and_a_stale_one_stays_stale(tmp_path: Path) -> None:
    responses = _answers(build(OCSP, tmp_path))
    later = BuildOptions(at=datetime.now(UTC) + timedelta(days=6))
    again = build(OCSP, tmp_path, later)
    changed = {name for name, data in _answers(again).items() if data != responses[name]}
    assert "sensor.ocsp-good.ocsp" in changed
    assert "sensor.ocsp-stale.ocsp" not in changed
    assert (
        _case(again, "ocsp-good")["ocsp"]["next_update"] > _case(again, "ocsp-stale")["ocsp"]["next_update"]
    )


def test_responses_from_a_seed_repeat(tmp_path: Path) -> None:
    one, other = (build(OCSP, tmp_path / name, BuildOptions(seed="ocsp")) for name in ("one", "other"))
    assert _answers(one) == _answers(other)
