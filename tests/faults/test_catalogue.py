"""The whole catalogue: built once, looked at by openssl and by our own commands."""

from __future__ import annotations

import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.cli import main
from pkigen.environment import Environment
from pkigen.faults import FAMILIES, FAULTS, asked_for, asked_for_all
from pkigen.faults.registry import fault
from tests.faults.conftest import PROFILE

EXPECTED = {"R": "reject", "A": "accept", "P": "accept"}

# openssl verify as it comes with Debian 12 against the class of the catalogue, and why it differs.
DIVERGENCES = {
    "cdp-unreachable": "OpenSSL is handed the CRL here, and does not fetch it",
    "cdp-unresolvable": "OpenSSL is handed the CRL here, and does not fetch it",
    "expires-at-the-second": "OpenSSL counts not_after itself as past, RFC 5280 does not",
    "pol-mapping-any": "OpenSSL processes policies when asked for it alone (-policy_check)",
    "pol-require-explicit-unmet": "OpenSSL processes policies when asked for it alone (-policy_check)",
    "san-missing": "OpenSSL looks at the common name where there is no alternative name",
    "sig-md5": "at its default level OpenSSL verify does not look at digests of leaves",
    "sig-sha1": "at its default level OpenSSL verify does not look at digests",
    "sig-sha1-intermediate": "at its default level OpenSSL verify does not look at digests",
    "san-wildcard-partial": "OpenSSL takes a wildcard for a part of a label unless told otherwise",
}


def _cases(environment: Environment) -> dict[str, dict[str, Any]]:
    """Every case but the twins, which stand beside those that are wrong only together."""
    found = {case.data["fault"]["id"]: case.data for case in environment.cases() if "fault" in case.data}
    return {one: case for one, case in found.items() if not one.endswith(".twin")}


def test_every_fault_becomes_a_case_called_after_its_base_and_its_id(catalogue: Environment) -> None:
    assert {case["name"] for case in _cases(catalogue).values()} == {f"sensor.{one}" for one in FAULTS}


def test_the_manifest_says_of_every_case_what_its_class_promises(catalogue: Environment) -> None:
    for one, case in _cases(catalogue).items():
        assert case["verdict"]["expected"] == EXPECTED.get(FAULTS[one].verdict, "varies"), one
        assert case["verdict"]["stage"] == FAULTS[one].stage, one
        assert case["fault"]["clause"] == FAULTS[one].clause, one


@pytest.mark.parametrize("one", FAULTS.values(), ids=lambda one: str(one.id))
def test_a_faults_page_says_what_is_wrong_and_how_it_shows(one: Any) -> None:
    assert re.fullmatch(r"[A-Z].{5,78}\.", one.says), one.says
    assert one.shows.endswith("."), one.id
    assert one.clause, one.id


def test_a_second_fault_of_one_name_is_refused() -> None:
    with pytest.raises(AssertionError, match="expired"):

        @fault("R", "path", "nowhere")
        def expired(case: Any) -> Any:
            """Another one."""


def test_patterns_name_ids_families_and_all() -> None:
    families = {module.__name__.rpartition(".")[2].replace("_", "-") for module in FAMILIES}
    assert {one.family for one in FAULTS.values()} == families
    assert [one.type.id for one in asked_for("expired")] == ["expired"]
    assert {one.type.family for one in asked_for_all(("san/*", "names/cn-*"))} == {"san", "names"}
    assert len(asked_for("all")) == len(FAULTS)


@pytest.mark.needs("openssl")
def test_openssl_does_what_the_class_of_a_fault_says(catalogue: Environment, tmp_path: Path) -> None:
    clock = datetime.fromisoformat(catalogue.manifest["clock"])
    differing = set()
    for one, case in _cases(catalogue).items():
        if FAULTS[one].stage == "transport":
            continue
        accepted = _openssl_accepts(catalogue.folder, case, int(clock.timestamp()), tmp_path / "crls.pem")
        if FAULTS[one].verdict != "V" and accepted is not (EXPECTED[FAULTS[one].verdict] == "accept"):
            differing.add(one)
    assert differing == DIVERGENCES.keys()


def _openssl_accepts(folder: Path, case: dict[str, Any], at: int, crls: Path) -> bool:
    authorities = folder / "authorities"
    crls.write_bytes(b"".join((authorities / name / f"{name}.crl").read_bytes() for name in case["path"]))
    files = {kind: str(folder / path) for kind, path in case["files"].items()}
    command = ["openssl", "verify", "-attime", str(at), "-purpose", "sslserver"]
    command += ["-verify_hostname", case["hosts"][0], "-CAfile", str(folder / "trust.pem")]
    command += ["-untrusted", files["chain"], "-crl_check_all", "-CRLfile", str(crls), files["certificate"]]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("command", ["show", "check", "verify", "convert"])
def test_our_own_commands_take_every_fault_for_an_input(
    command: str, catalogue: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for case in _cases(catalogue).values():
        files = [str(catalogue.folder / case["files"][kind]) for kind in ("certificate", "key", "chain")]
        options = {
            "show": [],
            "check": ["--against", "defender-iot", "--against", "rfc5280", "--against", "web-server"],
            "verify": ["--host", "sensor.contoso.test", "--purpose", "server", "--chain", files[2]],
            "convert": ["--out", str(tmp_path / "converted"), "--force"],
        }[command]
        given = files[:1] if command == "verify" else files
        code = main([command, *given, *options])
        said = capsys.readouterr()
        assert code in (0, 1, 2), f"{case['name']}: {said.err}"
        assert "bug in pkigen" not in said.err, case["name"]


def test_the_catalogue_stays_as_it_is_when_it_is_built_again(catalogue: Environment) -> None:
    before = {path: path.read_bytes() for path in catalogue.folder.rglob("*.crt")}
    again = build(PROFILE, catalogue.folder.parent)
    assert {path: path.read_bytes() for path in again.folder.rglob("*.crt")} == before
