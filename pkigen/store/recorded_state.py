"""What the index records about the environment as a whole: its files and its times."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from pkigen.store.entries import decoding
from pkigen.store.layout import is_relative


class RecordedState:
    """Reads whole columns of the index, which a build of ten thousand certificates does in one pass."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield (path, SHA-256) of the files of all entities, CRLs and OCSP responses."""
        for table in ("entities", "crls"):
            with decoding(table):
                for (text,) in self._sql.execute(f"SELECT files FROM {table}"):  # noqa: S608
                    for path, digest in json.loads(text):
                        if not is_relative(path):
                            raise ValueError
                        yield path, digest

    def begins(self) -> set[int]:
        """Return the times from which something is valid, in seconds since the epoch."""
        return self._times("SELECT not_before FROM entities UNION SELECT this_update FROM crls")

    def ends(self) -> set[int]:
        """Return the times until which something is valid, in seconds since the epoch."""
        query = "SELECT not_after FROM entities UNION SELECT next_update FROM crls"
        return self._times(f"{query} WHERE next_update > this_update")

    def _times(self, query: str) -> set[int]:
        return {time for (time,) in self._sql.execute(query)}

    def flush(self) -> bool:
        """Move the log into the database file; return whether the file alone then has the whole index."""
        busy, pages, moved = self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy and pages == moved
