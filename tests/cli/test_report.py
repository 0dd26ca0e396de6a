"""pkigen report and pkigen graph: what they write where, and what they say of what they cannot do."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def built(cli: Cli, profile: Path) -> Path:
    assert cli("build", profile).code == 0
    return Path("out/contoso")


def test_a_report_is_written_to_the_current_directory_under_the_name_of_the_environment(
    cli: Cli, built: Path
) -> None:
    outcome = cli("report", built)
    assert (outcome.code, outcome.out, outcome.err) == (0, "contoso.html\n", "")
    assert Path("contoso.html").read_text("utf-8").startswith("<!doctype html>")


def test_json_has_the_findings_of_a_report(cli: Cli, built: Path) -> None:
    outcome = cli("report", built, "--against", "defender-iot", "--out", "page.html", "--json")
    output = json.loads(outcome.out)
    assert (outcome.code, output["file"], len(output["findings"])) == (0, "page.html", 4)
    assert "subject-c" in Path("page.html").read_text("utf-8")


@pytest.mark.parametrize("form", ["svg", "dot", "mermaid"])
def test_a_graph_goes_to_stdout_or_to_a_file(cli: Cli, built: Path, form: str) -> None:
    output = cli("graph", built, "--format", form, "--at", "2040-01-01")
    assert (output.code, output.err) == (0, "")
    assert "console" in output.out
    assert "expired" in output.out
    assert cli("graph", built, "--format", form, "--at", "2040-01-01", "--out", "graph").out == ""
    assert Path("graph").read_text("utf-8").strip() == output.out.strip()


def test_a_graph_is_an_svg_by_default(cli: Cli, built: Path) -> None:
    assert ET.fromstring(cli("graph", built).out).tag.endswith("svg")  # noqa: S314  made here


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("report", "nowhere"), 2, "nowhere is not a built environment"),
        (("graph", "nowhere"), 2, "nowhere is not a built environment"),
        (("report", "out/contoso", "--against", "defender"), 2, "defender"),
        (("report", "out/contoso", "--matrix", "contoso.yaml"), 2, "contoso.yaml is not JSON"),
        (("report", "out/contoso", "--at", "soon"), 2, "--at"),
        (("report", "out/contoso", "--out", "out"), 3, "out: the path is a directory"),
        (("graph", "out/contoso", "--out", "no/folder.svg"), 3, "no/folder.svg: No such file"),
        (("graph", "out/contoso", "--format", "png"), 2, "png"),
    ],
)
def test_an_impossible_request_is_reported(
    cli: Cli, built: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    outcome = cli(*arguments)
    assert outcome.code == code
    assert words in outcome.err
    assert "Traceback" not in outcome.err
