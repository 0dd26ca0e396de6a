"""``pkigen faults``: the catalog as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pkigen.faults import ENROLMENT_FAULTS, FAMILIES, FAULTS
from tests.cli.conftest import Cli


def test_the_list_has_every_family_and_every_fault_in_80_columns(cli: Cli) -> None:
    lines = cli("faults").out.splitlines()
    assert max(map(len, lines)) <= 80
    families = [module.__name__.rpartition(".")[2].replace("_", "-") for module in FAMILIES]
    families += ["acme", "cmp", "est", "scep"]
    assert [line for line in lines if line in families] == families
    listed = {
        line.split()[1] for line in lines if line[:2] == "  " and line[2:3] in "RAPV-" and line[3:5] == "  "
    }
    assert listed >= FAULTS.keys() | ENROLMENT_FAULTS.keys()


def test_the_page_of_a_fault_of_the_server_shows_how_to_request_it(cli: Cli) -> None:
    page = cli("faults", "acme-429-date").out
    assert "\n  client      Clients should wait until that time; some accept only seconds.\n" in page
    assert "\n  profile     acme: {faults: [{acme-429-date: {times: 1, after: 2s}}]}\n" in page
    assert '"fault": {"acme-429-date": {"times": 1}}' in page
    assert "class" not in page
    assert "pkigen break" not in page
    assert cli("faults", "scep", "--search", "nonce").out.splitlines()[0] == "scep"
    assert "one of badAlg, badMessageCheck" in cli("faults", "scep-failure").out


def test_a_family_is_listed_alone(cli: Cli) -> None:
    for name in ("validity", "validity/*"):
        out = cli("faults", name).out
        assert "expired-by-one-second" in out
        assert "san-missing" not in out


@pytest.mark.parametrize("one", FAULTS.values(), ids=lambda one: str(one.id))
def test_the_page_of_a_fault_has_description_symptom_class_and_changes(cli: Cli, one: object) -> None:
    known = FAULTS[str(getattr(one, "id", ""))]
    page = cli("faults", known.id).out
    assert max(map(len, page.splitlines())) <= 80
    for label in ("fault", "symptom", "clause", "class", "stage", "profile"):
        assert f"\n  {label} " in page, label
    if known.id not in ("sct-missing", "cn-shared"):  # these change nothing in the sample certificate
        assert "\n  changes " in page


def test_the_violations_of_a_set_with_roles_are_listed_for_all_roles_or_one(cli: Cli) -> None:
    every = cli("faults", "--against", "etcd").out
    assert "gateway-purpose-no-serverauth" in every
    assert "client-purpose-no-clientauth" in every
    assert "gateway-purpose" not in cli("faults", "--against", "etcd:client").out
    assert "etcd/gateway-purpose-no-serverauth" in cli("faults", "gateway-purpose-no-serverauth").out


def test_requirements_of_a_set_without_a_case_are_listed_with_the_reason(cli: Cli) -> None:
    Path("own.yaml").write_text(
        "name: own\ntitle: Own\nsource: {title: Own, date: '2026'}\nswitches: {strict: off}\nrequirements:\n"
        "  - {id: has-cn, level: rejected, says: A name., when: strict, "
        "demand: {subject_attribute: {type: CN, required: true}}}\n"
        "  - {id: any-format, level: rejected, says: Any., "
        "demand: {key_file: {formats: [PKCS#8, PKCS#1, SEC 1]}}}\n"
    )
    outcome = cli("faults", "--against", "own.yaml")
    assert "own: no case of has-cn: the switch 'strict' is off" in outcome.out
    assert "own: no case of any-format: pkigen cannot violate it" in outcome.out


def test_json_lists_the_same_faults(cli: Cli) -> None:
    faults = {one["id"]: one for one in json.loads(cli("faults", "--json").out)}
    assert list(faults) == [*FAULTS, *ENROLMENT_FAULTS]
    assert faults["est-pending"]["made"] == []
    assert faults["est-pending"]["profile"] == "est: {faults: [{est-pending: {times: 1, after: 1s}}]}"
    expired = faults["expired"]
    assert expired["parameters"] == {"by": "1d"}
    assert set(expired["observed"].values()) == {"refuse", "blind"}
    assert expired["made"][0].startswith("certificate: valid from -398d to -1d")


def test_search_matches_words_in_any_text_of_a_fault(cli: Cli) -> None:
    out = cli("faults", "--search", "MD5").out
    assert "sig-md5" in out
    assert "expired" not in out


def test_an_unknown_fault_is_an_error_that_suggests_the_closest_one(cli: Cli) -> None:
    outcome = cli("faults", "expird")
    assert outcome.code == 2
    assert "did you mean 'expired'" in outcome.err


def test_a_fault_is_suggested_by_family_and_without_regard_to_case(cli: Cli) -> None:
    assert cli("faults", "validity/expired").out == cli("faults", "expired").out
    outcome = cli("faults", "EXPIRED")
    assert outcome.code == 2
    assert "did you mean 'expired'?" in outcome.err


def test_a_cve_number_finds_the_faults_that_exploit_it(cli: Cli) -> None:
    listed = cli("faults", "--search", "cve-2024-0567").out
    assert "chain-cross-loop" in listed
    assert "expired" not in listed
    assert "CVE-2024-0567" in cli("faults", "chain-cross-loop").out
