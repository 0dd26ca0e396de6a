"""Chain files, ways up and anchors that are wrong: each case's own trust, seen by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.environment.environment import Environment, open_environment
from tests.faults.conftest import PROFILE

pytestmark = pytest.mark.needs("openssl")

WORDS = {
    "chain-missing-intermediate": "unable to get local issuer certificate",
    "chain-untrusted-root": "self-signed certificate in certificate chain",
    "chain-unrooted-same-name": "self-signed certificate in certificate chain",
    "chain-same-name-other-key-root": "self-signed certificate in certificate chain",
    "chain-same-name-other-key-root-no-aki": "error 7 at 1 depth lookup: certificate signature failure",
    "self-signed": "self-signed certificate",
    "chain-file-leaf-not-first": "hostname mismatch",
    "chain-file-other-ca": "unable to get local issuer certificate",
    "chain-intermediate-as-anchor": "unable to get issuer certificate",
    "chain-leaf-as-anchor": "self-signed certificate in certificate chain",
    "chain-issuer-loop": "unable to get local issuer certificate",
    "chain-cycle-same-name": "self-signed certificate in certificate chain",
    "chain-nc-violating-then-valid": "permitted subtree violation",
    "chain-same-name-other-key-then-valid": "certificate signature failure",
    "chain-alternative-leaf-ca": "invalid CA certificate",
    "chain-long-120": "certificate chain too long",
    "chain-ca-as-leaf": "unsuitable certificate purpose",
    "bc-pathlen-intermediate-of-two": "path length constraint exceeded",
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return build(
        {**PROFILE, "negatives": [{"of": "sensor", "faults": ["chain/*"]}]}, tmp_path_factory.mktemp("chain")
    )


def _case(environment: Environment, fault: str) -> dict[str, Any]:
    return next(case.data for case in environment.cases() if case.name == f"sensor.{fault}")


def _openssl_output(environment: Environment, case: dict[str, Any], tmp_path: Path, *options: str) -> str:
    anchors = tmp_path / "anchors.pem"
    anchors.write_bytes(b"".join((environment.folder / path).read_bytes() for path in case["trust"]))
    files = {kind: environment.folder / path for kind, path in case["files"].items()}
    command = ["openssl", "verify", *options, "-purpose", "sslserver", "-verify_hostname", case["hosts"][0]]
    command += ["-CAfile", str(anchors), "-untrusted", str(files["chain"]), str(files["certificate"])]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


def test_openssl_rejects_each_fault_for_its_reason_and_accepts_the_others(
    environment: Environment, tmp_path: Path
) -> None:
    for case in environment.cases():
        output = _openssl_output(environment, case.data, tmp_path)
        fault = case.data.get("fault", {}).get("id", "")
        assert WORDS.get(fault, ": OK") in output, f"{fault}: {output}"


def test_a_trusted_intermediate_suffices_with_partial_chains(
    environment: Environment, tmp_path: Path
) -> None:
    for fault in ("chain-intermediate-as-anchor", "chain-leaf-as-anchor"):
        assert ": OK" in _openssl_output(environment, _case(environment, fault), tmp_path, "-partial_chain")


def test_an_untrusted_root_is_not_among_the_anchors(environment: Environment) -> None:
    trusted = environment.trust.read_text()
    untrusted = [record for record in environment.manifest["authorities"] if not record["trusted"]]
    for fault in ("chain-untrusted-root", "chain-same-name-other-key-root", "chain-issuer-loop"):
        root = _case(environment, fault)["path"][-1]
        assert root in {record["name"] for record in untrusted}
        assert (environment.folder / f"authorities/{root}/{root}.crt").read_text() not in trusted


def test_the_two_authorities_of_a_loop_certified_each_other(environment: Environment) -> None:
    issuing, root = _case(environment, "chain-issuer-loop")["path"]
    one, other = (environment.folder / f"authorities/{name}/{name}.crt" for name in (issuing, root))
    for issuer, subject in ((one, other), (other, one)):
        command = ["openssl", "verify", "-partial_chain", "-trusted", str(issuer), str(subject)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_the_expired_path_precedes_the_valid_one_in_the_chain_file(environment: Environment) -> None:
    case = _case(environment, "chain-expired-cross-plus-valid")
    _, cross, root = case["path"]
    ended = ["openssl", "x509", "-noout", "-checkend", "0", "-in"]
    codes = [
        subprocess.run(
            [*ended, str(environment.folder / f"authorities/{name}/{name}.crt")], check=False
        ).returncode
        for name in (cross, root)
    ]
    assert codes == [1, 0]


def test_a_chain_file_with_a_key_is_readable_by_its_owner_only(environment: Environment) -> None:
    path = environment.folder / _case(environment, "chain-key-in-chain-file")["files"]["chain"]
    assert b"PRIVATE KEY" in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_the_offline_copy_of_badssl_has_the_known_labels(tmp_path: Path) -> None:
    offline = open_environment(build("badssl-offline", tmp_path).folder)
    for case in offline.cases():
        assert case.data["hosts"][0].endswith("badssl.test") or "fault" in case.data, case.name
        expected = case.data["verdict"]["expected"]
        if "fault" not in case.data:
            assert expected == "accept"
        elif case.data["fault"]["verdict"] == "R":
            assert expected == "reject"
