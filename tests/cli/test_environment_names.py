"""Commands find an environment by its name, and output to a pipe has one line for each finding."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pkigen.cli import _console
from tests.cli.conftest import Cli


def test_a_name_selects_the_environment_below_out(cli: Cli) -> None:
    assert cli("build", "minimal").code == 0
    for arguments in (["hosts", "minimal"], ["graph", "minimal"], ["export", "minimal", "--to", "nginx"]):
        by_name, by_path = cli(*arguments), cli(arguments[0], "out/minimal", *arguments[2:])
        assert (by_name.code, by_name.out) == (0, by_path.out)
    assert cli("check", "minimal").out == cli("check", "out/minimal").out


def test_a_path_takes_precedence_over_a_name(cli: Cli) -> None:
    assert cli("build", "minimal").code == 0
    shutil.copytree("out/minimal", "minimal")
    shutil.rmtree("out/minimal/certificates")
    assert cli("check", "minimal").code == cli("check", "./minimal").code
    assert "cannot be read" in cli("check", "out/minimal").err


@pytest.mark.parametrize("name", ["minima", "sub/minimal", "../minimal"])
def test_an_unknown_environment_is_reported_as_given(name: str, cli: Cli) -> None:
    assert cli("build", "minimal").code == 0
    outcome = cli("hosts", name)
    assert outcome.code == 2
    assert outcome.err.startswith(f"{name} is not a built environment")


def test_output_to_a_pipe_is_wrapped_only_at_columns(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("build", "minimal").code == 0
    wrapped = cli("check", "minimal").out
    assert max(map(len, wrapped.splitlines())) <= 80
    monkeypatch.delenv("COLUMNS")
    _console._width.cache_clear()
    lines = cli("check", "minimal").out.splitlines()
    assert max(map(len, lines)) > 80
    assert [line for line in lines if line.startswith("     ")] == []
    assert " ".join(wrapped.split()) == " ".join(" ".join(lines).split())


def test_an_environment_in_another_directory_has_no_name(cli: Cli, tmp_path: Path) -> None:
    assert cli("build", "minimal", "--out", str(tmp_path / "other")).code == 0
    assert cli("hosts", "minimal").code == 2
