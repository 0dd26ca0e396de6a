"""Errors of the system: one clear line, and no partial changes."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkigen.errors import EnvironmentFailure
from pkigen.model import File
from pkigen.store import (
    Store,
    placement,
    stage_all,
    staged_files,
)
from pkigen.store.os_errors import os_errors_as_failures
from pkigen.store.staged_files import exchange
from tests.store.fakes import generations, publish

_PROFILE = """
name: small
defaults: {key: ec-p256}
authorities: {root: {}}
certificates: {"host-{001..400}": {issuer: root}}
"""


def _build(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "profile.yaml").write_text(_PROFILE)
    command = [sys.executable, "-m", "pkigen", "build", str(folder / "profile.yaml")]
    out = ["--out", str(folder / "out")]
    return subprocess.run([*command, *out], capture_output=True, text=True, check=False)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k,mode=755", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can only be mounted by root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_is_reported_and_existing_entities_stay_complete(small_disk: Path) -> None:
    done = _build(small_disk)
    assert done.returncode == 3
    assert "the disk is full; make room and run the command again" in done.stderr
    assert "Traceback" not in done.stderr
    entities = list((small_disk / "out/small/certificates").glob("*"))
    assert all((entity / f"{entity.name}.key").exists() for entity in entities)


_AS_SOMEBODY_ELSE = """
import os, sys
from pkigen import EnvironmentFailure, build
profile = {"name": "small", "defaults": {"key": "ec-p256"}, "authorities": {"root": {}}}
build(profile, sys.argv[1])
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    build(profile, sys.argv[2])
except EnvironmentFailure as error:
    print(error, error.exit_code)
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of directories differ elsewhere")
def test_a_directory_without_write_permission_is_reported(tmp_path: Path) -> None:
    refused = tmp_path / "refused"
    refused.mkdir(mode=0o500)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    command = [sys.executable, "-c", _AS_SOMEBODY_ELSE, str(tmp_path / "ours"), str(refused)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "permission denied; correct the permissions, or specify a directory" in done.stdout
    assert done.stdout.endswith("3\n")
    assert list(refused.iterdir()) == []


def test_a_file_instead_of_the_directory_is_reported(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    done = _build(tmp_path)
    assert done.returncode == 3
    assert "a parent of the path is a file, not a directory" in done.stderr


def test_published_entities_survive_an_error(tmp_path: Path) -> None:
    env = tmp_path / "env"
    publish(env, "a")
    (env / "www" / "crl").rmdir()
    (env / "www" / "crl").write_text("")
    with pytest.raises(Exception, match="the path exists"):
        publish(env, "a", generation=1)
    assert generations(env) == {"a": {"0"}}


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """An environment on a file system that is read-only."""
    env = tmp_path / "env"
    publish(env, "a")
    mount = ["mount", "--bind", "-o", "ro", str(env), str(env)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can only be mounted by root")
    yield env
    subprocess.run(["umount", str(env)], check=True)


def test_a_read_only_file_system_is_reported_and_readable(read_only: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="the file system is read-only; specify another directory"):
        publish(read_only, "a", generation=1)
    with Store.open(read_only, write=False) as store:
        assert store.damage(store.index.get(["certificates/a"])["certificates/a"]) == ()
    assert generations(read_only) == {"a": {"0"}}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "", "env/x"), "cannot write env/x: the disk is full; make room"),
        (OSError(errno.EXDEV, "", "env/x"), "several file systems"),
        (OSError(errno.ENAMETOOLONG, "", "env/x"), "the path is too long"),
        (OSError(errno.EPIPE, "Broken pipe"), "cannot write env: Broken pipe"),
        (OSError("no number"), "cannot write env: no number"),
        (sqlite3.OperationalError("database or disk is full"), "index.db: the disk is full; make room"),
        (sqlite3.OperationalError("disk I/O error"), "the disk is full or reported"),
        (sqlite3.OperationalError("database is locked"), "another program has it open"),
        (sqlite3.DatabaseError("database disk image is malformed"), "Restore it from a backup"),
        (sqlite3.OperationalError("what nobody foresaw"), "index.db: what nobody foresaw"),
    ],
)
def test_system_errors_have_messages_with_a_remedy(error: Exception, words: str) -> None:
    with pytest.raises(EnvironmentFailure) as caught, os_errors_as_failures("write", "env"):
        raise error
    assert words in str(caught.value)


def test_a_failed_staging_leaves_no_files(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    staging, twice = tmp_path / ".pkigen/staging", [File("a.crt", b"1"), File("a.crt", b"2")]
    with pytest.raises(EnvironmentFailure, match=rf"cannot write {staging}/[0-9a-f]+/a\.crt"):
        stage_all(tmp_path, [[File("b.crt", b"1")], twice])
    assert list(staging.iterdir()) == []


def test_files_are_staged_without_directory_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "a")
    monkeypatch.setattr(os, "supports_dir_fd", set())
    (staged,) = stage_all(tmp_path, [[File("a.crt", b"1"), File("a.key", b"2", secret=True)]])
    folder = tmp_path / ".pkigen/staging" / staged.folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a.crt": b"1", "a.key": b"2"}
    assert stat.S_IMODE((folder / "a.key").stat().st_mode) == 0o600


def test_a_failed_rename_leaves_the_old_directory_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "a")
    rename = os.rename

    def refuse_new(source: str, target: str) -> None:
        if Path(target) == tmp_path / "certificates/a" and not str(source).endswith(".old"):
            raise OSError(errno.EIO, "", source)
        rename(source, target)

    monkeypatch.setattr(placement, "exchange", lambda first, second: False)
    monkeypatch.setattr(os, "rename", refuse_new)
    with pytest.raises(EnvironmentFailure, match="the disk reported"):
        publish(tmp_path, "a", generation=1)
    monkeypatch.undo()
    assert generations(tmp_path) == {"a": {"0"}}
    publish(tmp_path, "b")
    assert generations(tmp_path) == {"a": {"0"}, "b": {"0"}}


def test_without_syncfs_each_file_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = []
    monkeypatch.setattr(staged_files, "_syncfs", lambda: None)
    monkeypatch.setattr(staged_files, "sync_file", lambda path: flushed.append(path.name))
    publish(tmp_path, "a")
    assert {"a.crt", "a.key", "chain.pem"} <= set(flushed)


@pytest.mark.skipif(sys.platform != "linux", reason="macOS has the call")
def test_macos_flushes_a_file_system_without_full_flushes_with_fsync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    flushed = list[int]()
    monkeypatch.setattr("fcntl.F_FULLFSYNC", 51, raising=False)
    monkeypatch.setattr("os.fsync", flushed.append)
    monkeypatch.setattr(sys, "platform", "darwin")
    staged_files.sync_file(tmp_path / "file")
    assert len(flushed) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_a_failed_exchange_moves_nothing(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    assert not exchange(f"{tmp_path}/first", f"{tmp_path}/missing")
    (tmp_path / "second").write_text("")
    assert exchange(f"{tmp_path}/first", f"{tmp_path}/second")
    assert (tmp_path / "first").is_file()
