"""``pkigen check``: text output, JSON output and exit code."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from pkigen.requirements import load_set
from pkigen.serve import serve
from tests.cli.conftest import Cli
from tests.environment.profiles import build_it
from tests.requirements.environments import Built, Environments, document

OWN = """\
name: own
title: My own
source: {title: Mine, date: "2026"}
requirements:
  - id: key-4096
    demand: {public_key: {minimum: {rsa: 4096}}}
    level: rejected
    section: "1"
    says: The key has 4096 bits.
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The appliance's set and every negative case of one sensor."""
    return Environments(tmp_path_factory.mktemp("negative")).of("defender-iot")


@pytest.fixture
def here(built: Built, cli: Cli) -> Cli:
    """The command line beside the files of sensor-01."""
    for path in (built.folder / "certificates" / "sensor-01").iterdir():
        shutil.copy(path, path.name)
    return cli


FILES = ("sensor-01.crt", "sensor-01.key", "chain.pem")


def test_files_without_a_fault_are_accepted_and_undecided_requirements_listed(here: Cli) -> None:
    outcome = here("check", *FILES)
    assert outcome.code == 0
    assert outcome.err.splitlines() == [
        "Against defender-iot; --against names another set.",
        "`pkigen sets match FILE...` lists the sets that these files satisfy.",
    ]
    assert "defender-iot: accepted at upload, if crl-reachable and not-revoked hold" in outcome.out
    assert "FAIL" not in outcome.out


def test_an_unreadable_file_is_reported_without_a_line_for_each_requirement(cli: Cli) -> None:
    Path("bad.crt").write_bytes(b"\x00no certificate")
    outcome = cli("check", "bad.crt", "--against", "rfc5280")
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "bad.crt",
        "  bad.crt: the format is unknown: it is neither PEM nor DER",
        "  rfc5280: refused at upload",
        "    Certificate validation failed",
    ]


def test_an_environment_of_fleets_alone_says_that_nothing_was_checked(cli: Cli, tmp_path: Path) -> None:
    profile = tmp_path / "fleet.yaml"
    profile.write_text(
        "name: f\nauthorities: {root: {}}\nfleets: {m: {count: 2, issuer: root, key: ec-p256}}\n"
    )
    assert cli("build", profile, "--out", tmp_path / "out").code == 0
    outcome = cli("check", tmp_path / "out" / "f")
    assert outcome.code == 0
    assert outcome.out.startswith("Nothing was checked: ")


def test_lines_are_no_wider_than_a_terminal(here: Cli, built: Built) -> None:
    case = built.folder / "certificates" / "sensor-01.chain-issuer-other-ca"
    shutil.copy(case / "chain.pem", "chain.pem")
    for sets in (("defender-iot",), ("rfc5280",), ("web-server",)):
        outcome = here("check", *FILES, "--against", *sets)
        assert [line for line in outcome.out.splitlines() if len(line) > 80] == []


def test_a_rejection_has_requirement_section_and_message(here: Cli, built: Built) -> None:
    case = "sensor-01.not-after-future-expired"
    outcome = here("check", built.folder / "certificates" / case / f"{case}.crt")
    assert outcome.code == 1
    words = re.sub(r"\s+", " ", outcome.out)
    assert "FAIL not-after-future The certificate has not expired. Found not after " in words
    assert "[rejected; CRT file requirements]" in words
    assert "defender-iot: refused at upload This SSL certificate has expired" in words


def test_a_violated_recommendation_is_shown_and_is_no_failure(here: Cli, built: Built) -> None:
    case = "sensor-01.public-key-4096-slow-rsa-4096"
    outcome = here("check", built.folder / "certificates" / case / f"{case}.crt")
    assert (outcome.code, "WARN  public-key-4096-slow" in outcome.out) == (0, True)


def test_the_time_can_be_given(here: Cli) -> None:
    assert here("check", FILES[0], "--at", "2020-01-01T00:00Z").code == 1
    assert "not-before-past" in here("check", FILES[0], "--at", "2020-01-01T00:00Z").out


def test_json_is_one_object_for_each_certificate(here: Cli) -> None:
    outcome = here("check", *FILES, "--json")
    (result,) = json.loads(outcome.out)
    assert (outcome.code, result["name"], result["as_expected"]) == (0, FILES[0], True)
    assert result["verdicts"][0]["undecided"] == ["crl-reachable", "not-revoked"]
    assert json.loads(here("check", *FILES, "--format", "json").out) == [result]


@pytest.mark.parametrize("against", ["rfc5280", "web-server", "own.yaml"])
def test_another_set_is_selected_by_name_or_file(against: str, here: Cli) -> None:
    Path("own.yaml").write_text(OWN)
    outcome = here("check", *FILES, "--against", against)
    assert outcome.err == ""
    assert outcome.code == (1 if against == "own.yaml" else 0), outcome.out
    both = here("check", *FILES, "--against", against, "--against", "defender-iot", "--json")
    names = {verdict["set"] for verdict in json.loads(both.out)[0]["verdicts"]}
    assert names == {against.removesuffix(".yaml"), "defender-iot"}


def test_only_sarif_or_junit_is_on_stdout(here: Cli, built: Built) -> None:
    log = json.loads(here("check", built.folder, "--format", "sarif").out)
    assert (log["version"], len(log["runs"][0]["results"]) > 40) == ("2.1.0", True)
    outcome = here("check", built.folder, "--format", "junit")
    root = ET.fromstring(outcome.out)  # noqa: S314  our own
    assert (outcome.code, outcome.err) == (0, "")
    assert len(root) == len(built.checked)


def test_the_certificates_of_an_environment_are_counted(here: Cli, built: Built) -> None:
    outcome = here("check", built.folder)
    cases = len(built.cases)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "2 of 2 certificates satisfy the requirements\n"
        f"{cases} of {cases} negative cases violate exactly the intended requirements\n"
    )


def test_a_case_with_an_unexpected_violation_is_shown_with_it(
    here: Cli, built: Built, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(built.folder, tmp_path / "damaged"))
    name = "sensor-01.subject-c-missing"
    shutil.copy("sensor-01.crt", folder / f"certificates/{name}/{name}.crt")
    outcome = here("check", folder)
    assert outcome.code == 1
    words = " ".join(outcome.out.split())
    assert "This case should break subject-c, but: US." in words
    assert "This case should not break " in words
    assert "If it inevitably does, declare that with 'together' in the set" in words


def test_a_deleted_file_of_an_environment_is_reported(here: Cli, built: Built, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built.folder, tmp_path / "damaged"))
    (folder / "certificates/sensor-02/sensor-02.crt").unlink()
    outcome = here("check", folder)
    assert (outcome.code, outcome.out) == (2, "")
    assert "sensor-02.crt cannot be read: No such file" in outcome.err
    assert "Build the environment again" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.crt",), "No such file"),
        (("sensor-01.crt", "--against", "none"), "no such requirement set: 'none'"),
        (("sensor-01.crt", "--against", "none.yaml"), "No such file"),
        (("sensor-01.crt", "--passphrase-file", "none"), "No such file"),
        (("sensor-01.crt", "--trust", "sensor-01.key"), "there is no certificate in sensor-01.key"),
    ],
)
def test_an_impossible_check_is_exit_code_2(arguments: tuple[str, ...], words: str, here: Cli) -> None:
    outcome = here("check", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err


@pytest.mark.parametrize("data", [b"", b"junk"])
def test_a_file_without_a_certificate_is_exit_code_1(data: bytes, here: Cli) -> None:
    Path("x.crt").write_bytes(data)
    outcome = here("check", "x.crt")
    assert outcome.code == 1
    assert "refused at upload" in outcome.out


def test_a_passphrase_comes_from_a_file_and_is_not_shown(here: Cli, built: Built) -> None:
    key = built.file("key-opens-wrong", "key")
    crt = built.file("key-opens-wrong", "certificate")
    for text, code in (("nobody knows this one", 0), ("a wrong one", 1)):
        Path("pass").write_text(f"{text}\n")
        outcome = here("check", crt, key, "--passphrase-file", "pass")
        assert outcome.code == code
        assert text not in outcome.out + outcome.err
        assert ("Passphrase does not match to the key" in outcome.out) is bool(code)


def test_without_validation_requirements_on_crls_do_not_apply(here: Cli) -> None:
    (result,) = json.loads(here("check", *FILES, "--no-validation", "--json").out)
    status = {finding["id"]: finding["status"] for finding in result["findings"]}
    assert {status[name] for name in ("crl-reachable", "not-revoked", "chain-of-trust")} == {"not applicable"}
    assert result["verdicts"][0]["undecided"] == []


def test_online_requests_the_crl_and_an_unreachable_server_gives_the_message_of_the_appliance(
    cli: Cli, tmp_path: Path
) -> None:
    profile = document("defender-iot")
    del profile["negatives"]
    profile["certificates"] = {"sensor": {"issuer": "issuing", "subject": {"CN": "sensor.example.test"}}}
    build_it(profile, tmp_path)
    # The port is known once a server has it: the environment is built again with its URL.
    with serve(tmp_path / "negative") as url:
        folder = build_it({**profile, "name": "online", "base_url": url}, tmp_path).folder
        shutil.copytree(folder / "www", tmp_path / "negative" / "www", dirs_exist_ok=True)
        files = sorted((folder / "certificates" / "sensor").iterdir())
        (running,) = json.loads(cli("check", *files, "--online", "--json").out)
        (offline,) = json.loads(cli("check", *files, "--json").out)
    status = {finding["id"]: finding["status"] for finding in running["findings"]}
    assert (status["crl-reachable"], status["not-revoked"]) == ("pass", "pass")
    assert running["verdicts"][0]["undecided"] == []
    assert offline["verdicts"][0]["undecided"] == ["crl-reachable", "not-revoked"]
    stopped = cli("check", *files, "--online", "--json")
    (result,) = json.loads(stopped.out)
    assert stopped.code == 1
    assert result["verdicts"][0]["messages"] == [
        next(words for words in load_set("defender-iot").messages.values() if "not reachable" in words)
    ]
