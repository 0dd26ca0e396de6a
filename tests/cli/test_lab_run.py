"""``pkigen lab run``: what it prints, writes, and ends with."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Cli, finish, start

PROFILE = """\
name: small
defaults: {key: ec-p256}
authorities: {root: {subject: {CN: Root}}}
certificates:
  console: {issuer: root, subject: {CN: console.contoso.test}}
  sensor: {issuer: root, subject: {CN: sensor.contoso.test}}
lab: {console: console, sensors: [sensor]}
"""
STORY = """\
title: A short story
profile: small.yaml
within: 20
steps:
  - says: All is well
    expect: {connection: "sensor:console", state: connected}
  - says: So it is not
    expect: {connection: "sensor:console", state: halted, within: 0}
  - revoke: sensor
"""


@pytest.fixture
def story(tmp_path: Path) -> Path:
    folder = tmp_path / "stories"
    folder.mkdir()
    (folder / "small.yaml").write_text(PROFILE)
    (folder / "short.yaml").write_text(STORY)
    return folder / "short.yaml"


def test_a_failed_scenario_exits_with_1_and_names_the_step(cli: Cli, story: Path) -> None:
    outcome = cli("lab", "run", story, "--junit", "report.xml")
    assert outcome.code == 1
    assert outcome.out.splitlines()[0].split(" (")[0] == "  ok     All is well"
    assert "  FAILED So it is not" in outcome.out
    assert "is 'connected', expected 'halted'" in outcome.out
    assert "  -      revoke sensor\n" in outcome.out
    assert outcome.out.endswith("1 of 1 scenarios failed: short\n")
    suite = ET.parse("report.xml").getroot()[0]  # noqa: S314  our own
    assert [suite.get(key) for key in ("name", "tests", "failures", "skipped")] == ["short", "3", "1", "1"]


def test_a_passed_scenario_exits_with_0_and_can_keep_its_lab(cli: Cli, story: Path) -> None:
    story.write_text(STORY.partition("  - says: So it")[0])
    outcome = cli("lab", "run", story, "--json", "--out", "kept")
    assert (outcome.code, outcome.err) == (0, "short: A short story\n")
    result = json.loads(outcome.out)
    assert result["passed"]
    assert [step["title"] for step in result["scenarios"][0]["steps"]] == ["All is well"]
    assert (Path("kept") / "short" / "small" / "manifest.json").is_file()


def test_a_slow_scenario_prints_the_url_to_watch(cli: Cli, story: Path) -> None:
    story.write_text(STORY.partition("  - says: So it")[0])
    outcome = cli("lab", "run", story, "--pace", "0.01")
    assert "Console: https://127.0.0.1:" in outcome.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("revoke: sensor", "revoke: [sensor]"), "short.yaml:9:5: steps.2.revoke: this must be a text"),
        (("small.yaml", "other.yaml"), "other.yaml does not exist"),
    ],
)
def test_an_invalid_scenario_exits_with_2_and_runs_nothing(
    cli: Cli, story: Path, change: tuple[str, str], words: str
) -> None:
    story.write_text(STORY.replace(*change))
    outcome = cli("lab", "run", story)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.out == ""


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of this kind")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_scenario_and_leaves_no_keys(story: Path, tmp_path: Path, how: int) -> None:
    story.write_text(STORY.partition("  - says: So it")[0] + "  - wait: 300\n")
    place = tmp_path / "temporary"
    place.mkdir()
    process = start("lab", "run", story, cwd=tmp_path, environ={"TMPDIR": str(place)})
    assert process.stdout is not None
    assert b"All is well" in process.stdout.readline()
    assert list(place.glob("*/*/manifest.json"))
    process.send_signal(how)
    outcome = finish(process)
    assert outcome.code == 130
    assert outcome.err.endswith("Interrupted.\n")
    assert not list(place.iterdir())


def test_a_report_that_cannot_be_written_ends_with_3(cli: Cli, story: Path) -> None:
    outcome = cli("lab", "run", story, "--junit", "nowhere/report.xml")
    assert outcome.code == 3
    assert "cannot write nowhere/report.xml" in outcome.err


def test_the_shipped_scenarios_are_listed(cli: Cli) -> None:
    assert "revoked-sensor      Certificates are revoked" in cli("lab", "run", "--list").out
    assert len(json.loads(cli("lab", "run", "--list", "--json").out)) == 5
    assert cli("lab", "run").code == 2
    assert "did you mean" in cli("lab", "run", "revoked-senor").err
