"""``pkigen client``: what it prints and writes, and its exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import pages
from tests.cli.conftest import Cli

ACCEPTS, REJECTS = "true", "false"


@pytest.fixture
def environment(cli: Cli, profile: Path) -> Path:
    """Four certificates, and an expired and a self-signed copy of one."""
    text = profile.read_text().replace("8080", str(pages.free_port()))
    profile.write_text(f"{text}negatives:\n  - {{of: console, faults: [expired, self-signed]}}\n")
    assert cli("build", profile).code == 0
    return Path("out/contoso")


def test_failures_are_printed_first_and_the_result_in_words(cli: Cli, environment: Path) -> None:
    outcome = cli("client", environment, ACCEPTS, "--known", "self-signed", "--all")
    labels = [line.split()[0] for line in outcome.out.splitlines()[:-1]]
    assert outcome.code == 1
    assert labels == ["FAIL", "known", "pass", "pass", "pass", "pass"]
    assert outcome.out.splitlines()[-1] == "The client is wrong about 1 of 6 certificates, 1 known."


def test_a_run_that_rejecting_everything_would_pass_says_so(cli: Cli, environment: Path) -> None:
    outcome = cli("client", environment, REJECTS, "--only", "*.expired")
    assert outcome.code == 0
    assert "a client that rejects everything passes" in outcome.out
    assert "The client is right about 1 of 1 certificates." in outcome.out


def test_reports_are_written_beside_the_result(cli: Cli, environment: Path) -> None:
    reports = ("--junit", "client.xml", "--sarif", "client.sarif", "--source", "pki.yaml")
    outcome = cli("client", environment, ACCEPTS, "--json", *reports)
    verdicts = {one["name"]: (one["expected"], one["actual"]) for one in json.loads(outcome.out)}
    assert verdicts["console"] == ("accept", "accept")
    assert verdicts["console.expired"] == ("reject", "accept")
    assert Path("client.xml").read_text("utf-8").startswith("<?xml")
    assert json.loads(Path("client.sarif").read_bytes())["version"] == "2.1.0"


def test_a_command_that_cannot_be_started_is_an_error(cli: Cli, environment: Path) -> None:
    outcome = cli("client", environment, "no-such-client", "--junit", "client.xml")
    assert outcome.code == 2
    assert "cannot be started" in outcome.err
    assert not Path("client.xml").exists()
