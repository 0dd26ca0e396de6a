"""``pkigen matrix``: who accepts what, for people, as JSON, JUnit and a page."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from pkigen import build
from pkigen.environment.build.options import BuildOptions
from pkigen.matrix import VALIDATORS
from tests.cli.conftest import Cli

_PROFILE = {
    "name": "mixed",
    "defaults": {"key": "ec-p256"},
    "authorities": {"root": {}, "issuing": {"issuer": "root"}},
    "certificates": {"server": {"issuer": "issuing", "subject": {"CN": "server.contoso.test"}}},
    "negatives": [{"of": "server", "faults": ["expired", "san-missing", "sig-sha1"]}],
}
_TWO = ("--validators", "openssl,pyca")
pytestmark = pytest.mark.needs("openssl")


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment with a sound case and three faulty ones, for which every version counts as recorded."""
    monkeypatch.setattr("pkigen.faults.observed.recorded_version", lambda validator, version: version)
    return build(_PROFILE, tmp_path / "out").folder


def _expecting(folder: Path, name: str, expected: str) -> None:
    """The manifest says something else of a case."""
    path = folder / "manifest.json"
    manifest: dict[str, Any] = json.loads(path.read_bytes())
    for case in manifest["cases"]:
        if case["name"] == name:
            case["verdict"]["expected"] = expected
    path.write_text(json.dumps(manifest))


def test_the_table_shows_verdicts_and_messages_of_validators(cli: Cli, mixed: Path) -> None:
    outcome = cli("matrix", mixed, *_TWO)
    assert outcome.code == 0, outcome.out + outcome.err
    assert re.search(r"^  expired +R  xx$", outcome.out, re.MULTILINE)
    assert re.search(r"^  san-missing +R  \+x \*$", outcome.out, re.MULTILINE)
    assert "openssl: path: certificate has expired" in outcome.out
    assert "openssl: choice: It uses the common name as the host name" in outcome.out
    assert "4 cases, 2 validators" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "Verdicts: 8 to do" in outcome.err


def test_a_difference_without_a_reason_is_reported_and_fails(cli: Cli, mixed: Path) -> None:
    _expecting(mixed, "server", "reject")
    outcome = cli("matrix", mixed, *_TWO, "--junit", "matrix.xml", "--json")
    assert outcome.code == 1
    report = json.loads(outcome.out)
    assert report["unexplained"] == 2
    (server,) = (row for row in report["rows"] if row["name"] == "server")
    assert [(cell["word"], cell["differs"], cell["known"]) for cell in server["cells"]] == [
        ("accept", True, None)
    ] * 2
    suites = ET.parse("matrix.xml").getroot()  # noqa: S314  it is ours
    failed = [(one.get("classname"), one.get("name")) for one in suites.iter("testcase") if len(one)]
    assert ("openssl", "server") in failed
    assert [suite.get("failures") for suite in suites] == ["1", "1", "0"]
    text = cli("matrix", mixed, *_TWO)
    assert text.code == 1
    assert "openssl: expected reject" in text.out


def test_a_difference_on_an_unrecorded_version_is_listed_and_does_not_fail(
    cli: Cli, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"openssl": "OpenSSL 2.9.9", "pyca": "cryptography 49.0.0"}
    monkeypatch.setattr(
        "pkigen.faults.observed.recorded_version", lambda validator, version: versions[validator]
    )
    _expecting(mixed, "server.expired", "accept")
    outcome = cli("matrix", mixed, *_TWO)
    assert outcome.code == 0, outcome.out
    assert "(nearest recorded: OpenSSL 2.9.9)" in outcome.out
    assert "on an unrecorded version of a validator" in outcome.out
    assert "expired: openssl" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_a_recorded_difference_that_no_longer_occurs_fails_in_its_own_environment(
    cli: Cli, mixed: Path
) -> None:
    """A recorded reason becomes obsolete when the verdict is as expected."""
    _expecting(mixed, "server.san-missing", "accept")
    one = cli("matrix", mixed, "--validators", "openssl", "--only", "*.san-missing", "--json")
    assert (one.code, json.loads(one.out)["stale"]) == (0, [])
    path = mixed / "manifest.json"
    path.write_text(path.read_text().replace('"environment": "mixed"', '"environment": "negative"', 1))
    outcome = cli("matrix", mixed, "--validators", "openssl", "--only", "*.san-missing", "--json")
    report = json.loads(outcome.out)
    places = [(one["fault"], one["column"]) for one in (*report["stale"], *report["gone"])]
    assert places == [("san-missing", "openssl")]
    assert outcome.code == (1 if report["stale"] else 0)


def test_the_page_is_self_contained(cli: Cli, mixed: Path) -> None:
    assert cli("matrix", mixed, *_TWO, "--html", "matrix.html").code == 0
    page = Path("matrix.html").read_text("utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    report = json.loads(data)
    assert next(row["name"] for row in report["rows"]) == "server"
    assert [column["name"] for column in report["columns"]] == ["openssl", "pyca"]
    assert "<" not in data
    assert not re.findall(r'(?:src|href)="(?!data:)', page)


def test_only_selects_cases_by_name(cli: Cli, mixed: Path) -> None:
    outcome = cli("matrix", mixed, *_TWO, "--only", "server.e*", "--json")
    assert [row["fault"] for row in json.loads(outcome.out)["rows"]] == ["expired"]
    nothing = cli("matrix", mixed, *_TWO, "--only", "nobody")
    assert (nothing.code, nothing.err) == (2, "no case has a name that matches 'nobody'\n")


def test_the_list_contains_versions_and_what_to_install(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = json.loads(cli("matrix", "--list", "--json").out)
    assert [one["name"] for one in listed] == [one.name for one in VALIDATORS]
    assert all(one["comes_with"] for one in listed)
    text = cli("matrix", "--list")
    assert max(map(len, text.out.splitlines())) <= 80
    monkeypatch.setenv("PATH", "")
    missing = cli("matrix", "--list").out
    assert re.search(r"^openssl +not installed\n +install openssl$", missing, re.MULTILINE)
    assert max(map(len, missing.splitlines())) <= 80


def test_a_missing_validator_is_reported_and_skipped(
    cli: Cli, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    outcome = cli("matrix", mixed, *_TWO, "--json")
    assert "openssl is not installed and was skipped: install openssl." in outcome.err
    assert [one["name"] for one in json.loads(outcome.out)["columns"]] == ["pyca"]
    nobody = cli("matrix", mixed, "--validators", "openssl")
    assert nobody.code == 2
    assert "none of these validators is installed" in nobody.err


@pytest.mark.needs("chromium", "certutil")
def test_browsers_skip_an_environment_with_another_clock_and_the_command_reports_it(
    cli: Cli, tmp_path: Path
) -> None:
    folder = build(_PROFILE, tmp_path / "out", BuildOptions(at=datetime(2026, 1, 31, tzinfo=UTC))).folder
    outcome = cli("matrix", folder, "--validators", "chromium", "--json")
    assert "chromium: skipped, because browsers use the clock of this machine" in outcome.err
    assert {cell["word"] for row in json.loads(outcome.out)["rows"] for cell in row["cells"]} == {"blind"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("matrix",), "specify the directory of a built environment"),
        (("matrix", "nowhere"), "nowhere is not a built environment"),
        (("matrix", "nowhere", "--validators", "opensll"), "did you mean 'openssl'?"),
    ],
)
def test_invalid_arguments_are_usage_errors(cli: Cli, words: tuple[str, ...], message: str) -> None:
    outcome = cli(*words)
    assert outcome.code == 2
    assert message in outcome.err


def test_a_limbo_file_is_accepted_instead_of_an_environment(cli: Cli, mixed: Path) -> None:
    def text(*names: str) -> list[str]:
        return [(mixed / name).read_text() for name in names]

    testcases = [
        {
            "id": f"mixed::{name}",
            "validation_kind": kind,
            "trusted_certs": text("authorities/root/root.crt"),
            "untrusted_intermediates": text("authorities/issuing/issuing.crt"),
            "peer_certificate": text(f"certificates/{name}/{name}.crt")[0],
            "expected_result": result,
            "expected_peer_name": {"kind": "DNS", "value": host},
        }
        for name, kind, result, host in (
            ("server", "SERVER", "SUCCESS", "server.contoso.test"),
            ("server.expired", "SERVER", "FAILURE", "expired.server.contoso.test"),
            ("server.expired", "CLIENT", "FAILURE", ""),
        )
    ]
    Path("limbo.json").write_text(json.dumps({"version": 1, "testcases": testcases}))
    outcome = cli("matrix", "limbo.json", *_TWO, "--json")
    assert outcome.code == 0, outcome.out + outcome.err
    assert "Skipped 1 cases that are not servers" in outcome.err
    report = json.loads(outcome.out)
    words = {row["name"]: [cell["word"] for cell in row["cells"]] for row in report["rows"]}
    assert words == {"mixed::server": ["accept"] * 2, "mixed::server.expired": ["refuse"] * 2}
    Path("limbo.json").write_text("{}")
    assert cli("matrix", "limbo.json").code == 2
