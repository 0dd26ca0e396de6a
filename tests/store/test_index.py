"""The index and the lock of an environment: values are read back, and writers exclude each other."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pkigen.errors import EnvironmentFailure
from pkigen.store import CrlState, Revoked, Store
from pkigen.store.enrolled import EnrolledRow
from pkigen.store.entries import DamagedIndex
from pkigen.store.index import Index
from pkigen.store.layout import inside, make_directories
from pkigen.store.lock import Lock
from pkigen.store.placement import Placement
from tests.store.fakes import publication, publish


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


def test_requests_of_devices_are_read_back_and_listed_once_issued(store: Store, tmp_path: Path) -> None:
    pending = EnrolledRow("certificates/pending", "t", "est", "client", 5, b"\x30", "{}", "[]")
    issued = replace(pending, id="certificates/a", verdict="", faults="")
    store.index.enrolled.add([issued, pending])
    store.publish([publication(tmp_path / "deep/environment", "a", 0)])
    assert store.index.enrolled.ids() == {"certificates/a", "certificates/pending"}
    assert store.index.enrolled.get("certificates/pending") == pending
    assert store.index.enrolled.rows(["certificates/a", "certificates/b"]) == {"certificates/a": issued}
    serials = '[["authorities/root", "1"]]'
    assert store.index.enrolled.serials() == {"certificates/a": serials}
    assert store.index.enrolled.issuers() == [("certificates/a", serials, "")]


def test_an_index_from_before_enrollment_and_fleets_has_neither(tmp_path: Path) -> None:
    publish(tmp_path, "a")
    _change(tmp_path, "DROP TABLE enrolled; DROP TABLE shards; PRAGMA user_version = 2")
    with Store.open(tmp_path, write=False) as former:
        enrolled, shards = former.index.enrolled, former.index.shards
        assert enrolled.ids() == frozenset()
        assert (enrolled.get("certificates/a"), enrolled.serials()) == (None, {})
        assert (shards.fleets(), shards.current("f"), shards.times_published("f", 1, 9)) == ([], [], 0)
        assert shards.of_serial("authorities/root", 1) is None


def test_a_serial_number_leads_to_its_entity(store: Store) -> None:
    store.index.reserve([("authorities/a", 10, "certificates/x")])
    assert store.index.subject_of("authorities/a", 10) == "certificates/x"
    assert store.index.subject_of("authorities/b", 10) is None
    assert store.index.subject_of("authorities/a", 11) is None


def test_records_are_those_of_the_entries_by_id(store: Store, tmp_path: Path) -> None:
    environment = tmp_path / "deep/environment"
    store.publish([publication(environment, "a", 0), publication(environment, "b", 1)])
    records = store.index.records(["certificates/a", "certificates/b", "certificates/c"])
    assert {record_id: record.certificates for record_id, record in records.items()} == {
        "certificates/a": [("authorities/root", 1)],
        "certificates/b": [("authorities/root", 2)],
    }


def test_revocations_of_a_range_are_listed_by_serial_and_replaced(store: Store) -> None:
    rows = [Revoked("a", serial, f"e{serial}", "superseded", 5, "profile", "") for serial in (3, 4, 5, 16)]
    by_command = Revoked("a", 4, "e4", "keyCompromise", 6, "command", "")
    store.index.set_revocations([*reversed(rows), by_command])
    assert store.index.revocations_between("a", 4, 15) == [by_command, *rows[1:3]]
    assert store.index.revocations_between("b", 0, 99) == []
    new = rows[1]._replace(at=7)
    store.index.replace_revocations("a", 4, 5, [new])
    assert list(store.index.revocations("a")) == [rows[0], by_command, new, rows[3]]


def test_the_times_and_files_of_certificates_crls_and_responses_are_recorded(
    store: Store, tmp_path: Path
) -> None:
    made = publication(tmp_path / "deep/environment", "a", 0)
    store.publish([replace(made, entry=replace(made.entry, not_before=5, not_after=50))])
    store.index.set_crl(CrlState("authorities/root", 1, 7, 70, "", (("www/crl/root.crl", "digest"),)))
    store.index.set_crl(CrlState("authorities/endless", 1, 8, 8, "", ()))
    recorded = store.index.recorded
    assert (recorded.begins(), recorded.ends()) == ({5, 7, 8}, {50, 70})
    files = dict(recorded.files())
    assert files["www/crl/root.crl"] == "digest"
    assert len(files) == 4


def test_cases_are_listed_by_their_base_and_fault(store: Store, tmp_path: Path) -> None:
    environment = tmp_path / "deep/environment"
    cases = {"a": ("base", "expired"), "b": ("base", "sha1"), "c": ("other", "expired"), "base": None}
    for name, case in cases.items():
        made = publication(environment, name, 0)
        record = {"fault": {"base": case[0], "id": case[1]}} if case else {}
        store.publish([replace(made, entry=replace(made.entry, record=json.dumps(record)))])
    assert store.index.cases_with_fault("base", ["expired"]) == {"certificates/a"}
    assert store.index.cases_with_fault("base", ["expired", "sha1"]) == {"certificates/a", "certificates/b"}
    assert store.index.cases_with_fault("base", []) == frozenset()


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("UPDATE entities SET serials = '{'", lambda index: list(index.entries())),
        ('UPDATE entities SET serials = \'[["a", "x"]]\'', lambda index: list(index.entries())),
        ('UPDATE entities SET files = \'[["../x", ""]]\'', lambda index: list(index.entries())),
        ('UPDATE entities SET files = \'[["a", ""], ["../x", ""]]\'', lambda index: list(index.entries())),
        ("UPDATE entities SET files = '[[\"a\", 1]]'", lambda index: list(index.entries())),
        ("UPDATE entities SET not_after = 'soon'", lambda index: list(index.entries())),
        ("UPDATE entities SET not_before = -99999999999999", lambda index: list(index.entries())),
        ("UPDATE entities SET spki = x'00'", lambda index: list(index.entries())),
        ("UPDATE entities SET record = '[]'", lambda index: index.records(["certificates/a"])),
        ("UPDATE entities SET record = '{'", lambda index: index.records(["certificates/a"])),
        ("UPDATE entities SET id = '../a'", lambda index: list(index.ids())),
        ("UPDATE issued SET times = -1", lambda index: index.generation("certificates/a")),
        ("UPDATE revocations SET reason = 'lost'", lambda index: list(index.revocations("a"))),
        ("UPDATE revocations SET at = 'now'", lambda index: index.revocation("a", 1)),
        ("UPDATE revocations SET invalid_since = 'now'", lambda index: index.revocations_of("e")),
        ("UPDATE revocations SET entity = x'00'", lambda index: index.revocations_between("a", 0, 9)),
        ('UPDATE crls SET files = \'[["/x", ""]]\'', lambda index: index.crl("a")),
        ("UPDATE crls SET next_update = NULL", lambda index: index.crl("a")),
        ("UPDATE crls SET number = -1", lambda index: index.crl("a")),
        ("UPDATE enrolled SET template = x'00'", lambda index: index.enrolled.get("certificates/e")),
        ("UPDATE enrolled SET request = 'text'", lambda index: index.enrolled.get("certificates/e")),
        ("UPDATE enrolled SET at = 'now'", lambda index: index.enrolled.get("certificates/e")),
        ("UPDATE enrolled SET verdict = '[]'", lambda index: index.enrolled.get("certificates/e")),
        ("UPDATE enrolled SET faults = '{}'", lambda index: index.enrolled.get("certificates/e")),
        ("UPDATE enrolled SET id = '../e'", lambda index: index.enrolled.get("../e")),
        ("UPDATE meta SET value = x'00'", lambda index: index.meta("colour")),
        ("UPDATE publishers SET plan = x'00'", lambda index: index.publishers()),
    ],
)
def test_a_value_that_no_version_writes_is_reported_as_damage(
    tmp_path: Path, change: str, read: Callable[[Index], object]
) -> None:
    publish(tmp_path, "a")
    with Store.open(tmp_path, write=True) as store:
        index = store.index
        index.set_meta("colour", "red")
        index.set_publishers([("certificates/a", "{}")])
        index.set_revocations([Revoked("a", 1, "e", "superseded", 5, "profile", "", 4)])
        index.set_crl(CrlState("a", 1, 2, 3, "", (("www/crl/a.crl", ""),)))
        index.enrolled.add([EnrolledRow("certificates/e", "t", "est", "client", 5, b"\x30", "{}", "[]")])
        read(index)
        _change(tmp_path, change)
        with pytest.raises(DamagedIndex):
            read(index)


def test_damage_names_the_entry(tmp_path: Path) -> None:
    publish(tmp_path, "a", "b")
    _change(tmp_path, "UPDATE entities SET files = '{' WHERE id = 'certificates/b'")
    with Store.open(tmp_path, write=False) as store:
        assert store.index.entry("certificates/a").id == "certificates/a"
        with pytest.raises(DamagedIndex, match="entities: certificates/b"):
            store.index.entry("certificates/b")


def _change(environment: Path, statements: str) -> None:
    connection = sqlite3.connect(environment / ".pkigen/index.db")
    connection.executescript(statements)
    connection.close()
