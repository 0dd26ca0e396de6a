"""The store: published entities are complete and durable, and foreign files survive."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.model import File
from pkigen.store import Revoked, Store, placement
from pkigen.store.schema import connect, create
from pkigen.store.store import index_digest
from tests.store.fakes import generations, publication, publish


def test_published_entities_can_be_read_back(tmp_path: Path) -> None:
    publish(tmp_path, "a", "b")
    with Store.open(tmp_path, write=False) as store:
        entries = store.index.get(["certificates/a", "certificates/b", "certificates/c"])
        assert sorted(entries) == ["certificates/a", "certificates/b"]
        assert list(store.index.ids()) == ["certificates/a", "certificates/b"]
        assert store.damage(entries["certificates/a"]) == ()
        assert store.index.generation("certificates/a") == 1
    assert generations(tmp_path) == {"a": {"0"}, "b": {"0"}}


def test_keys_are_created_with_mode_0600(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "certificates/a").iterdir()}
    assert modes["a.key"] == 0o600
    assert (tmp_path / "certificates/a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / ".pkigen").stat().st_mode & 0o777 == 0o700


def test_missing_and_altered_files_are_damage(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    (tmp_path / "certificates/a/a.crt").write_text("junk")
    (tmp_path / "certificates/a/a.key").unlink()
    with Store.open(tmp_path, write=False) as store:
        entry = store.index.get(["certificates/a"])["certificates/a"]
        damage_by_name = {damage.path.rpartition("/")[2]: damage.kind for damage in store.damage(entry)}
    assert damage_by_name == {"a.crt": "altered", "a.key": "missing"}


def test_foreign_files_stay_and_altered_ones_are_moved_aside(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    (tmp_path / "certificates/a/note.txt").write_text("mine")
    (tmp_path / "certificates/a/folder").mkdir()
    (tmp_path / "certificates/a/folder/deep.txt").write_text("mine too")
    (tmp_path / "certificates/a/a.key").write_text("my own key")
    with Store.open(tmp_path, write=True) as store:
        store.publish([publication(tmp_path, "a", 1)])
        assert "a.key was altered; moved to" in store.notes[0]
    assert (tmp_path / "certificates/a/note.txt").read_text() == "mine"
    assert (tmp_path / "certificates/a/folder/deep.txt").read_text() == "mine too"
    assert generations(tmp_path) == {"a": {"1"}}
    assert [path.read_text() for path in (tmp_path / ".pkigen/replaced").rglob("a.key")] == ["my own key"]


def test_an_existing_directory_is_replaced_and_its_files_stay(tmp_path: Path) -> None:
    foreign = tmp_path / "certificates/a"
    foreign.mkdir(parents=True)
    (foreign / "a.key").write_text("foreign key")
    publish(tmp_path, "a")
    assert generations(tmp_path) == {"a": {"0"}}
    assert [path.read_text() for path in (tmp_path / ".pkigen/replaced").rglob("a.key")] == ["foreign key"]


def test_pruning_keeps_foreign_files_and_reports_them(tmp_path: Path) -> None:
    publish(tmp_path, "a", "b")
    (tmp_path / "certificates/a/note.txt").write_text("mine")
    with Store.open(tmp_path, write=True) as store:
        entries = store.index.get(["certificates/a", "certificates/b"])
        assert store.remove(entries["certificates/a"]) == ["certificates/a/note.txt"]
        assert store.remove(entries["certificates/b"]) == []
        assert list(store.index.ids()) == []
        assert store.index.generation("certificates/a") == 1
    assert [path.name for path in (tmp_path / "certificates/a").iterdir()] == ["note.txt"]
    assert not (tmp_path / "certificates/b").exists()


def test_a_serial_is_never_used_twice_by_one_authority(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True) as store:
        assert store.index.reserve([("root", 7, "a"), ("other", 7, "b")]) == []
        assert store.index.reserve([("root", 7, "c"), ("root", 8, "c")]) == [("root", 7)]
        assert store.index.reserve([("root", 7, "a")]) == []


def test_crl_numbers_only_grow(tmp_path: Path) -> None:
    for expected in (1, 2, 3):
        with Store.open(tmp_path, write=True) as store:
            assert store.index.next_crl_number("root") == expected


def test_revocations_are_listed_by_serial_and_can_be_removed(tmp_path: Path) -> None:
    first = Revoked("root", 2**127, "a", "superseded", 5, "profile", "-2d")
    second = Revoked("root", 3, "b", "keyCompromise", 6, "command", "")
    with Store.open(tmp_path, write=True) as store:
        store.index.set_revocations([first, second])
        assert list(store.index.revocations("root")) == [second, first]
        assert store.index.revoked_entities() == {"a", "b"}
        store.index.clear_revocations([first])
        assert store.index.revoked_entities() == {"b"}
        assert store.index.revocations_of("a") == []
        assert store.index.revocations_of("b") == [second]


def test_a_second_writer_gets_the_process_id_of_the_first(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True):
        code = (
            "import sys; from pathlib import Path; from pkigen.store import Store\n"
            "from pkigen.errors import EnvironmentFailure\n"
            "try:\n"
            "    with Store.open(Path(sys.argv[1]), write=True): print('in')\n"
            "except EnvironmentFailure as error: print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
        )
    assert f"another pkigen (process {os.getpid()}) is writing to" in done.stdout
    publish(tmp_path, "a")


def test_reading_creates_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(InputError, match="not a built environment"),
        Store.open(tmp_path / "none", write=False),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_index_is_reported_and_not_changed(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    index = tmp_path / ".pkigen/index.db"
    index.write_bytes(b"junk" * 1000)
    for write in (False, True):
        with (
            pytest.raises(EnvironmentFailure, match="it is damaged"),
            Store.open(tmp_path, write=write),
        ):
            pass
    assert index.read_bytes() == b"junk" * 1000
    assert generations(tmp_path) == {"a": {"0"}}


def test_an_index_of_a_later_version_is_rejected(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    with sqlite3.connect(tmp_path / ".pkigen/index.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with (
        pytest.raises(EnvironmentFailure, match="another version"),
        Store.open(tmp_path, write=True),
    ):
        pass


@pytest.mark.parametrize("name", ["certificates", ".pkigen", "www/crl"])
def test_a_link_instead_of_a_directory_is_not_followed(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "env" / name).parent.mkdir(parents=True)
    (tmp_path / "env" / name).symlink_to(outside)
    with (
        pytest.raises(EnvironmentFailure, match="is a symbolic link, which pkigen does not follow"),
        Store.open(tmp_path / "env", write=True),
    ):
        pass
    assert list(outside.iterdir()) == []


def test_an_entity_directory_that_is_a_link_is_not_written(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    env = tmp_path / "env"
    publish(env, "b")
    (env / "certificates/a").symlink_to(outside)
    with pytest.raises(EnvironmentFailure, match="is not a directory"):
        publish(env, "a")
    assert list(outside.iterdir()) == []
    assert (env / "certificates/a").is_symlink()


def test_publishing_works_without_exchanging_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "exchange", lambda first, second: False)
    publish(tmp_path, "a")
    (tmp_path / "certificates/a/note.txt").write_text("mine")
    publish(tmp_path, "a", generation=1)
    assert generations(tmp_path) == {"a": {"1"}}
    assert (tmp_path / "certificates/a/note.txt").read_text() == "mine"
    assert list((tmp_path / ".pkigen/staging").iterdir()) == []


class Killed(BaseException):
    """Simulates a kill: no code that runs after it counts."""


@pytest.mark.parametrize("can_exchange", [True, False])
@pytest.mark.parametrize("step", range(1, 40))
def test_a_kill_after_any_step_is_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, can_exchange: bool
) -> None:
    publish(tmp_path, "a", "b")
    (tmp_path / "certificates/a/note.txt").write_text("mine")
    if not can_exchange:
        monkeypatch.setattr(placement, "exchange", lambda first, second: False)
    steps = iter(range(1, 1000))

    def counted(name: str) -> None:
        original = getattr(os, name)

        def call(*arguments: object, **options: object) -> object:
            result = original(*arguments, **options)
            if next(steps) == step:
                raise Killed(name)
            return result

        monkeypatch.setattr(os, name, call)

    for name in ("mkdir", "open", "rename", "replace", "fsync"):
        counted(name)
    with contextlib.suppress(Killed):
        publish(tmp_path, "a", "b", "c", generation=1)
    monkeypatch.undo()
    if can_exchange:
        assert all(len(by_entity) == 1 for by_entity in generations(tmp_path).values())
    publish(tmp_path, "d")
    by_entity = generations(tmp_path)
    assert all(len(values) == 1 for values in by_entity.values())
    assert {"a", "b", "d"} <= by_entity.keys()
    assert (tmp_path / "certificates/a/note.txt").read_text() == "mine"
    with Store.open(tmp_path, write=False) as store:
        for entry in store.index.entries():
            assert store.damage(entry) == ()
            assert {entry.spec} == by_entity[entry.id.partition("/")[2]]
    assert list((tmp_path / ".pkigen/staging").iterdir()) == []


def test_a_loose_file_is_replaced_atomically(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True) as store:
        store.write_loose("trust.pem", [b"one"])
        with pytest.raises(RuntimeError):
            store.write_loose("trust.pem", _failing())
        assert (tmp_path / "trust.pem").read_bytes() == b"one"
        before = (tmp_path / "trust.pem").stat().st_mtime_ns
        store.write_if_changed("trust.pem", b"one")
        assert (tmp_path / "trust.pem").stat().st_mtime_ns == before


def _failing() -> list[bytes]:
    raise RuntimeError


def test_a_connection_for_reading_cannot_write(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    connection = connect(tmp_path / ".pkigen/index.db", write=False)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM entities")
    connection.close()


def test_extra_files_of_a_format_are_recorded(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True) as store:
        store.publish([publication(tmp_path, "a", 0, File("a.der", b"0"))])
        entry = store.index.get(["certificates/a"])["certificates/a"]
    assert [path for path, _ in entry.files][-1] == "certificates/a/a.der"


def test_the_record_of_a_build_is_replaced(tmp_path: Path) -> None:
    with Store.open(tmp_path, write=True) as store:
        for data in (b"one", b"two"):
            store.record_up_to_date(data)
            assert (tmp_path / ".pkigen/up-to-date.json").read_bytes() == data
    assert list((tmp_path / ".pkigen/staging").iterdir()) == []


def test_the_digest_of_an_index_is_that_of_its_file_while_its_log_is_empty(tmp_path: Path) -> None:
    assert index_digest(tmp_path) is None
    with Store.open(tmp_path, write=True) as store:
        store.index.set_meta("color", "red")
        assert index_digest(tmp_path) is None
        digest = store.index_digest()
        assert (
            digest
            == index_digest(tmp_path)
            == sha256((tmp_path / ".pkigen/index.db").read_bytes()).hexdigest()
        )
        store.index.set_meta("color", "blue")
    assert index_digest(tmp_path) not in (None, digest)


def test_an_index_is_opened_with_the_settings_that_durability_depends_on(tmp_path: Path) -> None:
    create(tmp_path / "index.db")
    fresh = sqlite3.connect(tmp_path / "index.db")
    assert fresh.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    fresh.close()
    connection = connect(tmp_path / "index.db", write=True)
    settings = [connection.execute(f"PRAGMA {name}").fetchone() for name in ("synchronous", "fullfsync")]
    connection.close()
    assert settings == [(2,), (1,)]
