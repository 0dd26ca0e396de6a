"""``pkigen validate``: all errors at once, nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pkigen.cli.validate import validate
from tests.cli.conftest import Cli
from tests.effort import calls


def test_a_valid_profile_is_reported_with_its_size(cli: Cli, profile: Path) -> None:
    outcome = cli("validate", profile)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == "contoso is valid: 1 authority, 4 certificates\n"


def test_a_shipped_profile_is_selected_by_its_name(cli: Cli) -> None:
    assert cli("validate", "defender-iot").out.startswith("defender-iot is valid: 2 authorities, ")


def test_a_local_file_takes_precedence_over_a_shipped_profile(cli: Cli, profile: Path) -> None:
    profile.rename("minimal")
    assert cli("validate", "minimal").out.startswith("contoso is valid")


def test_a_local_directory_does_not_hide_a_shipped_profile(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "minimal").mkdir()
    assert cli("validate", "minimal").code == 0


def test_every_error_has_its_line_and_nothing_is_written(cli: Cli, profile: Path, tmp_path: Path) -> None:
    profile.write_text(profile.read_text().replace("issuer: root", "issuer: rot") + "surplus: 1\n")
    outcome = cli("validate", "contoso.yaml")
    assert (outcome.code, outcome.out) == (2, "")
    lines = outcome.err.splitlines()
    assert len(lines) >= 3
    assert all(line.startswith("contoso.yaml:") for line in lines)
    assert any("did you mean 'root'?" in line for line in lines)
    assert [path.name for path in tmp_path.iterdir()] == ["contoso.yaml"]


def test_json_has_the_parts_of_each_error(cli: Cli, profile: Path) -> None:
    profile.write_text(profile.read_text().replace("issuer: root", "issuer: rot", 1))
    outcome = cli("validate", "contoso.yaml", "--json")
    assert outcome.code == 2
    result = json.loads(outcome.out)
    assert result["valid"] is False
    (problem,) = result["problems"]
    assert problem["file"] == "contoso.yaml"
    assert (problem["line"], problem["suggestion"]) == (8, "root")
    assert problem["column"] > 0
    assert str(problem["message"]) in outcome.err


def test_json_reports_a_valid_profile(cli: Cli, profile: Path) -> None:
    assert json.loads(cli("validate", profile, "--json").out) == {
        "valid": True,
        "environment": "contoso",
        "authorities": 1,
        "certificates": 4,
        "problems": [],
        "warnings": [],
    }


@pytest.mark.parametrize("command", ["validate", "plan", "build"])
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.yaml", "no such file"),
        ("minimol", "did you mean 'minimal'?"),
        (".", "is a directory"),
        ("", ""),
    ],
)
def test_a_missing_profile_is_reported(cli: Cli, command: str, source: str, words: str) -> None:
    outcome = cli(command, source)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err


@pytest.mark.parametrize("names", [0, 100])
def test_the_effort_for_a_member_of_a_range_is_small_and_does_not_depend_on_what_they_share(
    tmp_path: Path, names: int
) -> None:
    san = ", ".join(f'"dns:h{number}.test"' for number in range(names))
    body = f"issuer: root, key: ec-p256{f', san: [{san}]' if names else ''}"
    file = tmp_path / "range.yaml"
    efforts = []
    for count in (200, 600):
        text = f'"s-{{1..{count}}}": {{{body}}}'
        file.write_text(f"name: r\nauthorities: {{root: {{}}}}\ncertificates: {{{text}}}\n")
        efforts.append(calls(lambda: validate(str(file))))
    assert (efforts[1] - efforts[0]) / 400 < 250
