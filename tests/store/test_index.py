"""The index and the lock of an environment: values are read back, and writers exclude each other."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import EnvironmentFailure
from pkigen.store import Store
from pkigen.store.layout import inside, make_directories
from pkigen.store.lock import Lock
from pkigen.store.placement import Placement


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new environment that is open for writing."""
    with Store.open(tmp_path / "deep" / "environment", write=True) as store:
        yield store


def test_values_of_the_environment_are_replaced(store: Store) -> None:
    assert store.index.meta("colour") is None
    store.index.set_meta("colour", "red")
    store.index.set_meta("colour", "blue")
    assert store.index.meta("colour") == "blue"


def test_serial_numbers_are_listed_by_entity(store: Store) -> None:
    large = 1 << 158
    assert store.index.reserve([("authorities/a", 10, "x"), ("authorities/b", large, "x")]) == []
    assert sorted(store.index.serials_of("x")) == [("authorities/a", 10), ("authorities/b", large)]
    assert store.index.serials_of("y") == []
    again = [("authorities/a", 10, "y"), ("authorities/a", 11, "y"), ("authorities/a", 10, "x")]
    assert store.index.reserve(again) == [("authorities/a", 10)]


def test_publication_plans_are_replaced_together_or_not_at_all(store: Store) -> None:
    store.index.set_publishers([("certificates/b", "{}"), ("certificates/a", "[]")])
    assert list(store.index.publishers().items()) == [("certificates/a", "[]"), ("certificates/b", "{}")]
    store.index.set_publishers([("certificates/c", "{}")])
    assert store.index.publishers() == {"certificates/c": "{}"}
    with pytest.raises(sqlite3.IntegrityError):
        store.index.set_publishers([("certificates/d", "{}"), ("certificates/d", "{}")])
    assert store.index.publishers() == {"certificates/c": "{}"}


def test_a_second_lock_names_the_process_that_holds_the_first(tmp_path: Path) -> None:
    first = Lock(tmp_path)
    assert (tmp_path / "lock.pid").read_text() == str(os.getpid())
    with pytest.raises(EnvironmentFailure, match=rf"another pkigen \(process {os.getpid()}\) is writing to"):
        Lock(tmp_path)
    (tmp_path / "lock.pid").write_text("junk")
    with pytest.raises(EnvironmentFailure, match="another pkigen is writing to"):
        Lock(tmp_path)
    (tmp_path / "lock.pid").unlink()
    first.release()
    second = Lock(tmp_path)
    second.release()
    assert not (tmp_path / "lock.pid").exists()


def test_a_lock_waits_until_its_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timeouts = []
    connect = sqlite3.connect

    def recorded(database: Path, **options: Any) -> sqlite3.Connection:
        timeouts.append(options["timeout"])
        connection: sqlite3.Connection = connect(database, **options)
        return connection

    monkeypatch.setattr(sqlite3, "connect", recorded)
    Lock(tmp_path, 2.5).release()
    assert timeouts == [2.5]


def test_directories_are_created_once_with_their_modes(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "environment"
    make_directories(folder)
    make_directories(folder)
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes[".pkigen"] == 0o700
    assert (folder / "www" / "crl").is_dir()


@pytest.mark.parametrize("path", ["../x", "a//b", "a/./b", "/a", "a\\b", "c:x", ""])
def test_a_path_that_leaves_the_environment_is_rejected(path: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="is not a path inside"):
        inside(tmp_path, path)
    assert inside(tmp_path, "a/b") == tmp_path / "a" / "b"


def test_existing_files_are_moved_aside_and_the_note_says_where(store: Store, tmp_path: Path) -> None:
    environment = tmp_path / "deep" / "environment"
    file, placement = environment / "trust.pem", Placement(environment)
    for number in (1, 2):
        file.write_text(str(number))
        note = placement.keep_aside([file])
        assert note.endswith(f"existed before the build; moved to .pkigen/replaced/found.{number}")
        assert (environment / f".pkigen/replaced/found.{number}/trust.pem").read_text() == str(number)
    assert not file.exists()
    assert store.notes == []
