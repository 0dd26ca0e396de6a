"""The directory of an export: private, complete, up to date; files of other programs stay."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.export import TARGETS
from pkigen.export.directory import MARKER, ExportDirectory
from pkigen.inspection.conversion.write import write
from pkigen.model import File
from tests.export.conftest import Export

_FILES = {
    "program.conf": File("program.conf", b"a setting"),
    "private/a.key": File("private/a.key", b"a secret", secret=True),
    "www/crl/a.crl": File("www/crl/a.crl", b"a list"),
}


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKER)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def folder(tmp_path: Path) -> ExportDirectory:
    made = ExportDirectory(tmp_path / "new" / "export", "nginx")
    assert set(made.update(_FILES).written) == _FILES.keys()
    return made


def _again(folder: ExportDirectory, *, force: bool = False) -> ExportDirectory:
    return ExportDirectory(folder.path, "nginx", force)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
@pytest.mark.parametrize("target", TARGETS)
def test_keys_are_readable_only_by_their_owner_and_never_in_www(target: str, exported: Export) -> None:
    done = exported(target)
    for path in done.folder.rglob("*"):
        below = path.relative_to(done.folder).as_posix()
        secret = path.is_file() and (b"PRIVATE KEY" in path.read_bytes() or path.suffix in (".p12", ".pfx"))
        if below in done.secret or (secret and path.name != "truststore.p12"):
            assert below in done.secret
            assert _mode(path) == 0o600
            assert _mode(path.parent) == 0o700
            assert not below.startswith("www/")


def test_nothing_is_written_outside_the_directory(exported: Export, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    for target in TARGETS:
        done = exported(target)
        paths = {*done.files.written, MARKER}
        there = {p.relative_to(done.folder).as_posix() for p in done.folder.rglob("*") if p.is_file()}
        assert there == paths
    assert set(tmp_path.iterdir()) - before == {tmp_path / target for target in TARGETS}


@pytest.mark.parametrize("target", sorted(TARGETS.keys() - {"java", "windows"}))
def test_a_second_run_changes_nothing(target: str, exported: Export) -> None:
    done = exported(target)
    before = {path: path.stat().st_mtime_ns for path in done.folder.rglob("*")}
    again = exported(target)
    assert (again.files.written, again.files.removed) == ((), ())
    assert {path: path.stat().st_mtime_ns for path in done.folder.rglob("*")} == before


def test_obsolete_files_are_removed_and_foreign_files_stay(exported: Export) -> None:
    folder = exported("nginx").folder
    (folder / "access.log").write_text("mine")
    done = exported("nginx", only="sensor*")
    assert "private/twin.key" in done.files.removed
    assert not (folder / "private/twin.key").exists()
    assert (folder / "access.log").read_text() == "mine"
    assert "twin" not in (folder / "nginx.conf").read_text()


def test_empty_directories_are_removed(folder: ExportDirectory) -> None:
    left = {"program.conf": _FILES["program.conf"]}
    assert set(_again(folder).update(left).removed) == {"private/a.key", "www/crl/a.crl"}
    assert _contents(folder.path) == {"program.conf": b"a setting"}
    assert not (folder.path / "private").exists()


@pytest.mark.parametrize("path", list(_FILES))
def test_an_edited_file_is_not_lost(folder: ExportDirectory, path: str) -> None:
    (folder.path / path).write_bytes(b"my own words")
    newer = {**_FILES, path: File(path, b"newer", secret=_FILES[path].secret)}
    with pytest.raises(
        InputError, match="was changed after the export; move it, or use --force to overwrite it"
    ):
        _again(folder).update(newer)
    assert (folder.path / path).read_bytes() == b"my own words"
    _again(folder, force=True).update(newer)
    assert (folder.path / path).read_bytes() == b"newer"


def test_an_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "program.conf").write_text("mine")
    with pytest.raises(InputError, match="was not exported by pkigen"):
        ExportDirectory(tmp_path, "nginx").update(_FILES)
    assert _contents(tmp_path) == {"program.conf": b"mine"}


def test_a_deleted_file_or_changed_mode_is_restored(folder: ExportDirectory) -> None:
    (folder.path / "program.conf").unlink()
    (folder.path / "private/a.key").chmod(0o644)
    done = _again(folder).update(_FILES)
    assert set(done.written) == {"program.conf", "private/a.key"}
    assert _mode(folder.path / "private/a.key") == 0o600


def test_an_export_of_another_target_is_not_mixed(folder: ExportDirectory) -> None:
    with pytest.raises(InputError, match="contains an export to nginx; choose another --out"):
        ExportDirectory(folder.path, "haproxy").update(_FILES)


@pytest.mark.parametrize("link", ["private", "www", "program.conf", MARKER])
def test_a_link_is_not_followed(folder: ExportDirectory, tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    original = folder.path / link
    original.rename(outside)
    original.symlink_to(outside)
    before = _contents(outside) if outside.is_dir() else outside.read_bytes()
    changed = {path: File(path, b"new", file.secret) for path, file in _FILES.items()}
    with pytest.raises((InputError, EnvironmentFailure)):
        _again(folder).update(changed)
    assert (_contents(outside) if outside.is_dir() else outside.read_bytes()) == before


def test_a_directory_in_place_of_a_file_is_reported(folder: ExportDirectory) -> None:
    (folder.path / "program.conf").unlink()
    (folder.path / "program.conf").mkdir()
    with pytest.raises(InputError, match="not a regular file"):
        _again(folder, force=True).update(_FILES)


def test_a_file_in_place_of_the_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="not a directory"):
        ExportDirectory(tmp_path / "out", "nginx").update(_FILES)


@pytest.mark.parametrize("marker", ["", "{", "[]", "{}", '{"format": "pkigen-export", "version": 1}', '"x"'])
def test_a_damaged_marker_is_reported(folder: ExportDirectory, marker: str) -> None:
    (folder.path / MARKER).write_text(marker)
    with pytest.raises(InputError, match=r"is damaged|holds an export to"):
        _again(folder).update(_FILES)


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_run_after_a_crash_completes_the_export(
    folder: ExportDirectory, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    newer = {path: File(path, b"newer", file.secret) for path, file in _FILES.items()}
    newer["more.conf"] = File("more.conf", b"more")
    count = 0

    def dying(*arguments: object) -> None:
        nonlocal count
        count += 1
        if count == calls:
            raise KeyboardInterrupt
        write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("pkigen.export.directory.write", dying)
    with pytest.raises(KeyboardInterrupt):
        _again(folder).update(newer)
    monkeypatch.undo()
    _again(folder).update(newer)
    assert _contents(folder.path) == {path: file.data for path, file in newer.items()}
    content = json.loads((folder.path / MARKER).read_bytes())["files"]
    assert all(len(digests) == 1 for digests in content.values())
