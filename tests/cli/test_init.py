"""``pkigen init``: a shipped profile to start from, and never a loss."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import NoReturn

import pytest

from pkigen.documents import shipped
from tests.cli.conftest import Cli


@pytest.mark.parametrize("name", shipped.names())
def test_each_shipped_profile_is_written_unmodified_and_valid(cli: Cli, tmp_path: Path, name: str) -> None:
    outcome = cli("init", name)
    assert (outcome.code, outcome.out) == (0, f"Wrote {name}.yaml\n")
    assert f"pkigen build {name}.yaml" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == [f"{name}.yaml"]
    assert (tmp_path / f"{name}.yaml").read_bytes() == shipped.path(name).read_bytes()
    assert cli("validate", f"{name}.yaml").code == 0


def test_without_a_name_the_smallest_profile_is_written(cli: Cli) -> None:
    assert json.loads(cli("init", "--json").out) == {"profile": "minimal.yaml"}


def test_an_existing_profile_is_kept_without_force(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "minimal.yaml").write_text("mine")
    outcome = cli("init")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "minimal.yaml already exists; use --force to overwrite it\n"
    assert (tmp_path / "minimal.yaml").read_text() == "mine"
    assert cli("init", "--force").code == 0
    assert (tmp_path / "minimal.yaml").read_bytes() == shipped.path("minimal").read_bytes()


@pytest.mark.parametrize("name", ["minimum", "../minimal", "minimal.yaml", "", "x\x1b[2J"])
def test_an_unknown_name_is_reported_with_the_command_that_lists_them(
    cli: Cli, tmp_path: Path, name: str
) -> None:
    outcome = cli("init", name)
    assert (outcome.code, outcome.out) == (2, "")
    assert "`pkigen init --list` lists the shipped profiles" in outcome.err
    assert "\x1b" not in outcome.err
    assert not list(tmp_path.iterdir())


def test_a_similar_name_is_suggested(cli: Cli) -> None:
    assert "(did you mean 'minimal'?)" in cli("init", "minimum").err


def test_a_directory_without_write_permission_is_reported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _data: bytes) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    outcome = cli("init")
    assert outcome.code == 3
    assert outcome.err.startswith("cannot write minimal.yaml: permission denied; correct the permissions")


def test_a_directory_in_place_of_the_file_is_reported_without_leftovers(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "minimal.yaml").mkdir()
    outcome = cli("init", "--force")
    assert outcome.code == 3
    assert "cannot write minimal.yaml" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["minimal.yaml"]


def test_the_list_has_each_name_with_a_description(cli: Cli) -> None:
    people, programs = cli("init", "--list"), cli("init", "--list", "--json")
    described = json.loads(programs.out)
    assert [entry["name"] for entry in described] == list(shipped.names())
    assert all(entry["description"] for entry in described)
    assert max(map(len, people.out.splitlines())) <= 80
    for name in shipped.names():
        assert f"\n{name} " in f"\n{people.out}"
