"""The file of the index: created atomically, never replaced, and unchanged by readers."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.store import Revoked, Store, placement
from pkigen.store.enrolled import EnrolledRow
from pkigen.store.lock import Lock
from tests.store.fakes import generations, publication, publish


def _refused(folder: Path, words: str, *, write: bool = True) -> None:
    with pytest.raises(EnvironmentFailure, match=words), Store.open(folder, write=write):
        pass


def _listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in [folder, *folder.rglob("*")]
        if path.name != "lock.db"
    }


def test_reading_creates_and_changes_no_file(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    before = _listing(tmp_path)
    with Store.open(tmp_path, write=False) as store:
        assert list(store.index.ids()) == ["certificates/a"]
    assert _listing(tmp_path) == before


def test_a_reader_sees_what_a_running_build_has_published(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True) as build:
        build.publish([publication(tmp_path, "a", 0)])
        with Store.open(tmp_path, write=False) as reader:
            assert list(reader.index.ids()) == ["certificates/a"]
            build.publish([publication(tmp_path, "b", 0)])
            assert list(reader.index.ids()) == ["certificates/a", "certificates/b"]


def test_a_store_that_is_open_for_reading_cannot_be_written(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    with (
        pytest.raises(EnvironmentFailure, match="permission denied"),
        Store.open(tmp_path, write=False) as store,
    ):
        store.index.set_meta("key", "value")


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"junk" * 1000], ids=["empty", "zeros", "junk"])
@pytest.mark.parametrize("write", [True, False])
def test_a_damaged_index_is_reported_and_stays(tmp_path: Path, content: bytes, write: bool) -> None:
    publish(tmp_path, "a")
    index = tmp_path / ".pkigen/index.db"
    index.write_bytes(content)
    _refused(tmp_path, "index.db.* is damaged", write=write)
    assert index.read_bytes() == content
    assert generations(tmp_path) == {"a": {"0"}}


def test_a_damaged_page_is_reported_with_the_path_of_the_index(tmp_path: Path) -> None:
    publish(tmp_path, *(f"host-{number}" for number in range(200)))
    index = tmp_path / ".pkigen/index.db"
    data = bytearray(index.read_bytes())
    data[4096 * 2 :] = os.urandom(len(data) - 4096 * 2)
    index.write_bytes(data)
    with (
        pytest.raises(EnvironmentFailure, match=r"cannot read .*index.db: it is damaged. Restore it"),
        Store.open(tmp_path, write=False) as store,
    ):
        list(store.index.entries())


def test_a_database_of_another_program_is_not_used(tmp_path: Path) -> None:
    (tmp_path / ".pkigen").mkdir()
    index = tmp_path / ".pkigen/index.db"
    connection = sqlite3.connect(index)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = index.read_bytes()
    _refused(tmp_path, "damaged or not an index")
    assert index.read_bytes() == before


def test_an_index_that_is_a_directory_or_link_is_rejected(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    index = tmp_path / ".pkigen/index.db"
    index.rename(tmp_path / "elsewhere.db")
    index.symlink_to(tmp_path / "elsewhere.db")
    _refused(tmp_path, "not a regular file; move it away")
    index.unlink()
    index.mkdir()
    _refused(tmp_path, "not a regular file; move it away", write=False)


def test_a_lost_index_is_not_replaced_while_its_log_exists(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True) as store:
        store.publish([publication(tmp_path, "a", 0)])
        shutil.copytree(tmp_path, tmp_path.with_name("killed"))
    killed = tmp_path.with_name("killed")
    (killed / ".pkigen/index.db").unlink()
    _refused(killed, "index.db is missing, but index.db-wal exists")
    assert not (killed / ".pkigen/index.db").exists()


def test_an_incomplete_first_index_is_ignored(tmp_path: Path) -> None:
    (tmp_path / ".pkigen").mkdir()
    for name in ("index.new", "index.new-wal", "index.new-journal"):
        (tmp_path / ".pkigen" / name).write_bytes(b"half")
    with pytest.raises(InputError, match="not a built environment"), Store.open(tmp_path, write=False):
        pass
    publish(tmp_path, "a")
    assert sorted(path.name for path in (tmp_path / ".pkigen").glob("index*")) == ["index.db"]


def test_a_damaged_lock_file_is_reported(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    (tmp_path / ".pkigen/lock.db").write_bytes(b"junk" * 1000)
    _refused(tmp_path, "cannot lock .*lock.db.*; delete that file if no pkigen is running")


class _FullDisk:
    """A connection to a database on a disk without space."""

    def execute(self, statement: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    def close(self) -> None:
        pass


def test_a_full_disk_is_not_called_a_damaged_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkigen.store.lock.sqlite3.connect", lambda *_, **__: _FullDisk())
    with pytest.raises(EnvironmentFailure, match=r"lock\.db: the disk is full; make room"):
        Lock(tmp_path)


def test_reading_after_a_kill_shows_what_the_next_build_will_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tmp_path, "a", "b", "c")
    monkeypatch.setattr(placement.Placement, "settle", _stopped)
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path, "a", "d", generation=1)
    monkeypatch.undo()
    with Store.open(tmp_path, write=False) as store:
        foreseen = list(store.index.entries())
        assert {entry.id[-1]: entry.spec for entry in foreseen} == {"a": "1", "b": "0", "c": "0", "d": "1"}
        assert [store.damage(entry) for entry in foreseen] == [()] * 4
        assert store.index.journal()
    with Store.open(tmp_path, write=True) as store:
        assert list(store.index.entries()) == foreseen
        assert not store.index.journal()


def _stopped(*_: object) -> None:
    raise KeyboardInterrupt


def _of_version_1(folder: Path) -> None:
    """Downgrade the index to the version without invalidity dates."""
    connection = sqlite3.connect(folder / ".pkigen/index.db")
    connection.executescript(
        "ALTER TABLE revocations DROP COLUMN invalid_since; DROP TABLE publishers; PRAGMA user_version = 1;"
    )
    connection.close()


def test_an_index_of_the_previous_version_is_upgraded_without_loss(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    former = Revoked("authorities/ca", 7, "certificates/a", "superseded", 1, "profile", "-1h")
    with Store.open(tmp_path, write=True) as store:
        store.index.set_revocations([former])
    _of_version_1(tmp_path)
    _refused(tmp_path, "by an earlier version of pkigen; run `pkigen build`", write=False)
    with Store.open(tmp_path, write=True) as store:
        assert list(store.index.ids()) == ["certificates/a"]
        assert store.index.revocation("authorities/ca", 7) == former
        assert store.index.publishers() == {}
    with Store.open(tmp_path, write=False) as store:
        assert store.index.revocation("authorities/ca", 7) == former


def test_requested_certificates_of_index_version_3_survive_the_upgrade(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    with Store.open(tmp_path, write=True) as store:
        store.index.enrolled.add([EnrolledRow("certificates/a", "devices", "est", "a", 1, b"", "")])
    index = sqlite3.connect(tmp_path / ".pkigen/index.db")
    index.executescript(
        "ALTER TABLE enrolled DROP COLUMN faults; DROP TABLE shards; PRAGMA user_version = 3;"
    )
    index.close()
    _refused(tmp_path, "by an earlier version of pkigen; run `pkigen build`", write=False)
    with Store.open(tmp_path, write=True) as store:
        row = store.index.enrolled.get("certificates/a")
        assert row is not None
        assert row.faults == ""
