"""Renames on Windows, where a virus scanner has new files open: simulated, also on other systems."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pkigen import renames
from pkigen.inspection.conversion.write import write
from pkigen.model import File


class Scanner:
    """Lets the first renames fail as Windows does while another program has the file open."""

    def __init__(self, failures: int, winerror: int, action: Callable[..., None]) -> None:
        self.failures, self.calls = failures, 0
        self._winerror, self._action = winerror, action

    def __call__(self, source: Any, target: Any) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            error = PermissionError(13, "The process cannot access the file")
            error.winerror = self._winerror  # type: ignore[attr-defined, unused-ignore]
            raise error
        self._action(source, target)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Simulate Windows, and return the pauses; pathlib keeps the classes of this system."""
    pauses = list[float]()
    monkeypatch.setattr(renames, "_is_windows", lambda: True)
    monkeypatch.setattr("pkigen.renames.time.sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("winerror", [5, 32, 33])
@pytest.mark.parametrize("name", ["rename", "replace"])
def test_a_rename_waits_until_the_file_is_closed(
    name: str, winerror: int, windows: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanner = Scanner(3, winerror, getattr(os, name))
    monkeypatch.setattr(os, name, scanner)
    source, target = tmp_path / "new", tmp_path / "target"
    source.write_text("new")
    getattr(renames, name)(source, target)
    assert target.read_text() == "new"
    assert scanner.calls == 4
    assert windows == sorted(windows)


def test_a_file_that_stays_open_fails_after_a_limited_time(
    windows: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", Scanner(10**6, 32, os.replace))
    with pytest.raises(PermissionError):
        renames.replace(tmp_path / "a", tmp_path / "b")
    assert 2 <= sum(windows) < 6


def test_other_errors_and_existing_directories_fail_at_once(
    windows: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "rename", Scanner(10**6, 5, os.rename))
    (tmp_path / "there").mkdir()
    with pytest.raises(PermissionError):
        renames.rename(tmp_path / "a", tmp_path / "there")
    monkeypatch.setattr(os, "rename", Scanner(10**6, 1314, os.rename))
    with pytest.raises(PermissionError):
        renames.rename(tmp_path / "a", tmp_path / "b")
    assert windows == []


def test_other_systems_do_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Scanner(1, 5, os.replace)
    monkeypatch.setattr(os, "replace", scanner)
    monkeypatch.setattr(renames, "_is_windows", lambda: False)
    with pytest.raises(PermissionError):
        renames.replace(tmp_path / "a", tmp_path / "b")
    assert scanner.calls == 1


def test_exported_files_are_written_although_a_scanner_has_them_open(
    windows: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "replace", Scanner(2, 32, os.replace))
    write([File("a.pem", b"data")], [tmp_path / "a.pem"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.pem"]
    assert windows
