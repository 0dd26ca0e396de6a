"""Targets are never lost, and files are complete and private from their first byte on."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.inspection.conversion import write
from pkigen.inspection.conversion.write import Rendered

CRT, KEY = Rendered(".crt", b"public", "certificate"), Rendered(".key", b"private", "key", secret=True)


@pytest.mark.parametrize(
    ("source", "out", "expected"),
    [
        ("in/console.contoso.test.pfx", "", ["console.contoso.test.crt", "console.contoso.test.key"]),
        ("sensor.KEY.DER", "", ["sensor.crt", "sensor.key"]),
        ("sensor", "", ["sensor.crt", "sensor.key"]),
        (".p12", "", [".p12.crt", ".p12.key"]),
        ("a.pfx", "there", ["there/a.crt", "there/a.key"]),
        ("a.pfx", "later/", ["later/a.crt", "later/a.key"]),
        ("a.pfx", "base", ["base.crt", "base.key"]),
        ("a.pfx", "there/base.pem", ["there/base.crt", "there/base.key"]),
        ("a.pfx", "console.contoso.test", ["console.contoso.test.crt", "console.contoso.test.key"]),
    ],
)
def test_files_are_written_to_their_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, out: str, expected: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert [str(path) for path in write.targets([CRT, KEY], out, [Path(source)])] == expected


def test_a_single_file_has_the_given_name() -> None:
    assert write.targets([CRT], "sensor.cer", [Path("a.pfx")]) == [Path("sensor.cer")]


def test_a_key_file_is_never_readable_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    paths = [tmp_path / "a.crt", tmp_path / "a.key"]
    paths[1].write_text("an old one that all could read")
    paths[1].chmod(0o644)
    before = os.umask(0o022)
    try:
        write.write([CRT, KEY], paths)
    finally:
        os.umask(before)
    assert seen == [0o644, 0o600]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o644, 0o600]
    assert [path.read_bytes() for path in paths] == [b"public", b"private"]
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize("call", ["fsync", "open", "replace"])
def test_a_failure_leaves_existing_files_unchanged_and_no_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "a.crt").write_text("mine")
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(EnvironmentFailure, match=r"a\.crt cannot be written: the disk is full"):
        write.write([CRT, KEY], [tmp_path / "a.crt", tmp_path / "a.key"])
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a.crt"]
    assert (tmp_path / "a.crt").read_text() == "mine"


def test_all_conflicting_targets_are_reported_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.crt", "a.key", "directory", "nowhere/a.pem", "link", "free")]
    paths[0].touch()
    paths[1].touch()
    paths[2].mkdir()
    paths[4].symlink_to("gone")
    with pytest.raises(InputError) as caught:
        write.check(paths, [paths[1]], force=False)
    assert str(caught.value).replace(f"{tmp_path}/", "").splitlines() == [
        "a.crt exists; use --force to replace it",
        "a.key is also a source and would be overwritten; specify another path with --out",
        "directory exists and is not a regular file; specify another path with --out",
        f"nowhere/a.pem cannot be written: there is no directory {tmp_path / 'nowhere'}".replace(
            f"{tmp_path}/", ""
        ),
        "link exists and is not a regular file; specify another path with --out",
    ]


def test_force_replaces_files_but_no_source_and_no_directory(tmp_path: Path) -> None:
    file, other_name = tmp_path / "a.pem", tmp_path / "b.pem"
    file.touch()
    os.link(file, other_name)
    write.check([file], [], force=True)
    with pytest.raises(InputError, match="would be overwritten"):
        write.check([other_name], [file], force=True)
    with pytest.raises(InputError, match="not a regular file"):
        write.check([tmp_path], [], force=True)
