"""The whole catalog: built once, checked by openssl and by pkigen's own commands."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pkigen import build
from pkigen.cli import main
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.environment import Environment
from pkigen.faults import (
    FAMILIES,
    FAULTS,
    parse_fault_list,
    parse_faults,
)
from pkigen.faults.registry import fault
from tests.faults.conftest import PROFILE, is_twin

EXPECTED = {"R": "reject", "A": "accept", "P": "accept"}


def _cases(environment: Environment) -> dict[str, dict[str, Any]]:
    """Every case except twins: the second certificate of faults that only show in a pair."""
    cases = (case for case in environment.cases() if "fault" in case.data and not is_twin(case.name))
    return {case.data["fault"]["id"]: case.data for case in cases}


def test_every_fault_becomes_a_case_named_after_its_base_and_id(catalogue: Environment) -> None:
    assert {case["name"] for case in _cases(catalogue).values()} == {f"sensor.{one}" for one in FAULTS}


def test_the_manifest_has_the_verdict_of_the_class_of_every_case(catalogue: Environment) -> None:
    for one, case in _cases(catalogue).items():
        assert case["verdict"]["expected"] == EXPECTED.get(FAULTS[one].verdict, "varies"), one
        assert case["verdict"]["stage"] == FAULTS[one].stage, one
        assert case["fault"]["clause"] == FAULTS[one].clause, one


@pytest.mark.parametrize("one", FAULTS.values(), ids=lambda one: str(one.id))
def test_the_page_of_a_fault_states_defect_and_symptom(one: Any) -> None:
    assert re.fullmatch(r"[A-Z].{5,78}\.", one.says), one.says
    assert one.shows.endswith("."), one.id
    assert one.clause, one.id


def test_the_baseline_requirements_are_cited_by_the_numbers_that_they_have_since_version_2() -> None:
    moved = re.compile(r"CABF BR 7\.1\.4\.2")
    assert [one.id for one in FAULTS.values() if moved.match(one.clause)] == []


def test_a_second_fault_of_one_name_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"'expired' .* is already defined in .*validity"):

        @fault("R", "path", "nowhere")
        def expired(case: Any) -> Any:
            """Another one.

            Clients report it.
            """


def test_a_text_states_the_values_of_the_parameters() -> None:
    expired = FAULTS["expired"]
    assert expired.says == "The certificate expired 1 day ago."
    assert expired.summary(by=timedelta(seconds=1)) == "The certificate expired 1 second ago."
    assert expired.summary(by=timedelta(hours=36)) == "The certificate expired 36 hours ago."


def test_a_request_states_the_requested_value() -> None:
    (requested,) = parse_faults({"expired": {"by": "1s"}})
    assert requested.says == "The certificate expired 1 second ago."


def test_a_fault_without_a_text_is_rejected_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"'speechless' .*: add a docstring"):

        @fault("R", "path", "nowhere")
        def speechless(case: Any) -> Any:
            pass


def test_patterns_name_ids_families_and_all() -> None:
    families = {module.__name__.rpartition(".")[2].replace("_", "-") for module in FAMILIES}
    assert {one.family for one in FAULTS.values()} == families
    assert [one.type.id for one in parse_faults("expired")] == ["expired"]
    assert {one.type.family for one in parse_fault_list(("san/*", "names/cn-*"))} == {"san", "names"}
    assert len(parse_faults("all")) == len(FAULTS)


@pytest.mark.parametrize("command", ["show", "check", "verify", "convert"])
def test_commands_accept_the_files_of_every_fault(
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
        output = capsys.readouterr()
        assert code in (0, 1, 2), f"{case['name']}: {output.err}"
        assert "bug in pkigen" not in output.err, case["name"]


def test_show_and_convert_read_every_file_of_a_fault(
    catalogue: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Key stores, OCSP answers, CRLs and copied authorities, each by itself."""
    aside = {"certificate", "key", "chain", "passphrase"}
    cases = _cases(catalogue).values()
    files = {path for case in cases for kind, path in case["files"].items() if kind not in aside}
    copies = {name for case in cases for name in case["path"]}
    paths = {str(path) for name in copies for path in (catalogue.folder / "authorities" / name).glob("*.cr*")}
    paths |= {str(path) for path in (catalogue.www / "crl").iterdir()}
    paths |= {str(catalogue.folder / path) for path in files}
    for path in sorted(paths):
        for command in (["show", path], ["convert", path, "--out", str(tmp_path / "out"), "--force"]):
            code = main(command)
            output = capsys.readouterr()
            assert code in (0, 1, 2), f"{command[0]} {path}: {output.err}"
            assert "bug in pkigen" not in output.err, f"{command[0]} {path}"
    assert len(paths) > len(copies)


def test_a_second_build_of_the_catalog_at_the_same_time_changes_nothing(catalogue: Environment) -> None:
    before = {path: path.read_bytes() for path in catalogue.folder.rglob("*.crt")}
    # A minute later, `not-yet-valid-by-one-minute` would have become valid, and be issued again.
    at = datetime.fromisoformat(catalogue.manifest["clock"])
    again = build(PROFILE, catalogue.folder.parent, BuildOptions(at=at))
    assert {path: path.read_bytes() for path in again.folder.rglob("*.crt")} == before


BASES: dict[str, dict[str, Any]] = {
    "a wildcard, in every format": {"subject": {"CN": "*.contoso.test"}, "formats": ["pkcs12", "bundle"]},
    "an address alone": {"subject": {"CN": "10.0.0.1"}, "san": ["ip:10.0.0.1"], "key": "ec-p521"},
    "no subject": {"subject": {}, "san": ["dns:nobody.test"], "key": "ed25519"},
    "its own issuer": {"issuer": "self", "subject": {"CN": "lone.test"}},
    "under the root": {"issuer": "root", "subject": {"CN": "near.test"}, "aia": "auto"},
    "a new kind of key": {"subject": {"CN": "pq.test"}, "key": "ml-dsa-44"},
    "a passphrase": {"subject": {"CN": "locked.test"}, "passphrase": "secret 123"},
    "an old key format": {"subject": {"CN": "old.test"}, "key_format": "traditional"},
}


@pytest.mark.parametrize("base", BASES)
def test_any_certificate_can_be_the_base_of_the_catalog(base: str, tmp_path: Path) -> None:
    """What a base cannot have is passed over with words; all else is made."""
    certificates = {"base": {"issuer": "issuing", "key": "ec-p256", **BASES[base]}}
    profile = {**PROFILE, "certificates": certificates, "negatives": [{"of": "base", "faults": "all"}]}
    built = build(profile, tmp_path)
    assert len(list(built.cases())) > len(FAULTS) * 2 // 5
