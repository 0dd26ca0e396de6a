"""The records of the enrollment protocols, which survive a killed server: accounts, orders, and others."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any
from weakref import WeakKeyDictionary, finalize

from pkigen.environment.enrol import Enroller
from pkigen.errors import EnvironmentFailure

FILE = ".pkigen/enrolment.db"
"""The database, relative to the environment."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, number INTEGER NOT NULL,
    status TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_owner ON records (kind, owner, number);
CREATE INDEX IF NOT EXISTS by_status ON records (kind, owner, status);
"""
_BUSY_SECONDS = 5.0

Record = Mapping[str, Any]


class State:
    """Records by kind and ID, each with an owner and JSON values; ``status`` is indexed. Thread-safe.

    A record is in the database when ``put`` returns (outside a transaction), or when the transaction ends:
    it survives the end of the process, also by SIGKILL. Raises EnvironmentFailure if the database cannot be
    read or written.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        self._lock = RLock()
        self._depth = 0
        with _failures():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            # The accounts' keys are public, but not who uses which name.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._sql = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._sql.execute("PRAGMA journal_mode = WAL")
                self._sql.execute("PRAGMA synchronous = NORMAL")
                self._sql.executescript(_SCHEMA)
            except sqlite3.Error:
                self._sql.close()
                raise

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._sql.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all changes of the block, or none if it raises; other threads wait meanwhile."""
        with self._lock, _failures():
            outermost = self._depth == 0
            if outermost:
                self._sql.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._sql.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._sql.execute("COMMIT")
            finally:
                self._depth -= 1

    def get(self, kind: str, record_id: str) -> dict[str, Any] | None:
        """Return the record with an ID."""
        row = self._one("SELECT data FROM records WHERE kind = ? AND id = ?", kind, record_id)
        return None if row is None else json.loads(row[0])

    def put(self, kind: str, record_id: str, data: Record, owner: str = "") -> None:
        """Add or replace a record; records of an owner are in the order in which they were added."""
        with self._lock, _failures():
            self._sql.execute(
                "INSERT INTO records VALUES (?1, ?2, ?3, (SELECT IFNULL(MAX(number), 0) + 1 FROM records "
                "WHERE kind = ?1 AND owner = ?3), ?4, ?5) "
                "ON CONFLICT (kind, id) DO UPDATE SET status = excluded.status, data = excluded.data",
                (
                    kind,
                    record_id,
                    owner,
                    str(data.get("status", "")),
                    json.dumps(data, separators=(",", ":")),
                ),
            )

    def delete(self, kind: str, record_id: str) -> None:
        """Delete a record, if it exists."""
        with self._lock, _failures():
            self._sql.execute("DELETE FROM records WHERE kind = ? AND id = ?", (kind, record_id))

    def owned(
        self, kind: str, owner: str, *, after: int = 0, limit: int = 1000
    ) -> list[tuple[int, str, dict[str, Any]]]:
        """Return the records of an owner: number, ID and data, those after a number first."""
        with self._lock, _failures():
            rows = self._sql.execute(
                "SELECT number, id, data FROM records WHERE kind = ? AND owner = ? AND number > ? "
                "ORDER BY number LIMIT ?",
                (kind, owner, after, limit),
            ).fetchall()
        return [(number, record_id, json.loads(data)) for number, record_id, data in rows]

    def count(self, kind: str, owner: str | None = None) -> int:
        """Return the number of records of a kind, or of those of an owner."""
        if owner is None:
            row = self._one("SELECT COUNT(*) FROM records WHERE kind = ?", kind)
        else:
            row = self._one("SELECT COUNT(*) FROM records WHERE kind = ? AND owner = ?", kind, owner)
        return int(row[0]) if row else 0

    def count_status(self, kind: str, owner: str, statuses: Sequence[str]) -> int:
        """Return the number of an owner's records that have one of the statuses."""
        query = "SELECT COUNT(*) FROM records WHERE kind = ? AND owner = ? AND status = ?"
        rows = (self._one(query, kind, owner, status) for status in statuses)
        return sum(int(row[0]) for row in rows if row)

    def with_status(self, kind: str, owner: str, status: str) -> list[tuple[str, dict[str, Any]]]:
        """Return an owner's records that have a status."""
        query = "SELECT id, data FROM records WHERE kind = ? AND owner = ? AND status = ?"
        with self._lock, _failures():
            rows = self._sql.execute(query, (kind, owner, status)).fetchall()
        return [(record_id, json.loads(data)) for record_id, data in rows]

    def all(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return the records of a kind."""
        with self._lock, _failures():
            rows = self._sql.execute("SELECT id, data FROM records WHERE kind = ?", (kind,)).fetchall()
        return ((record_id, json.loads(data)) for record_id, data in rows)

    def _one(self, query: str, *values: str) -> tuple[Any, ...] | None:
        with self._lock, _failures():
            row: tuple[Any, ...] | None = self._sql.execute(query, values).fetchone()
            return row


_BY_ENROLLER: WeakKeyDictionary[Enroller, State] = WeakKeyDictionary()
_LOCK = Lock()


def state_of(enroller: Enroller) -> State:
    """Return the records of an environment; all protocols of its server share them."""
    with _LOCK:
        if enroller not in _BY_ENROLLER:
            _BY_ENROLLER[enroller] = state = State(enroller.folder)
            finalize(enroller, state.close)
        return _BY_ENROLLER[enroller]


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise EnvironmentFailure(f"{FILE} cannot be read or written: {error}") from error
