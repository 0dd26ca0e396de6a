"""The table of the shards of fleets: which serial numbers and files each of them has.

The serial number of a certificate is the base of its shard plus its number in the fleet, and the last four
bytes of a base are 0. A serial number therefore leads to its shard and to its certificate without a file.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from pkigen.store.entries import DamagedIndex, decoding, transaction

_COLUMNS = (
    "authority, base, fleet, first, last, width, state, spec, issuers, not_before, not_after, revoked, files"
)
SHARDS = f"""
CREATE TABLE IF NOT EXISTS shards ({_COLUMNS}, PRIMARY KEY (authority, base)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS shards_of ON shards (fleet, first);
"""
INDEX_BITS = 32
"""The last bits of a serial number: the number of the certificate in its fleet."""
RESERVED, CURRENT, FORMER = 0, 1, 2
"""The states of a shard: serial numbers reserved, in place, replaced or deleted."""


class ShardFile(NamedTuple):
    """A file of a shard: its path or URL, SHA-256, size in bytes, modification time in nanoseconds.

    A path is relative to the environment.
    """

    path: str
    sha256: str
    size: int
    modified: int


@dataclass(frozen=True, slots=True)
class ShardRow:
    """One shard: the certificates ``first`` to ``last`` of a fleet; ``width`` is that of their numbers.

    ``spec`` and ``issuers`` are digests as those of an Entry, ``revoked`` is the revocation in the profile.
    Times are seconds since the epoch.
    """

    authority: str
    base: int
    fleet: str
    first: int
    last: int
    width: int
    state: int = RESERVED
    spec: str = ""
    issuers: str = ""
    not_before: int = 0
    not_after: int = 0
    revoked: str = ""
    files: tuple[ShardFile, ...] = field(default=())

    def __contains__(self, name: str) -> bool:
        """Return whether a certificate has a name."""
        prefix, _, digits = name.rpartition("-")
        if prefix != self.fleet or len(digits) != self.width or not (digits.isascii() and digits.isdigit()):
            return False
        return self.first <= int(digits) <= self.last

    def name(self, index: int) -> str:
        """Return the name of a certificate."""
        return f"{self.fleet}-{index:0{self.width}}"

    def serial(self, index: int) -> int:
        """Return the serial number of a certificate."""
        return self.base + index

    @property
    def count(self) -> int:
        """The number of its certificates."""
        return self.last - self.first + 1


class ShardTable:
    """Reads and writes the table; an index of an older version has none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def reserve(self, rows: Sequence[ShardRow]) -> list[ShardRow]:
        """Record the serial numbers of shards before anything is signed; return those that are in use.

        The same shard may use its numbers again: a killed build reserved them and published nothing.
        """
        used = []
        with transaction(self._sql):
            for row in rows:
                existing = self._one("authority = ? AND base = ?", (row.authority, _hex(row.base)))
                is_own = (
                    existing is not None and existing.state == RESERVED and _range(existing) == _range(row)
                )
                if (existing is not None and not is_own) or self._is_issued(row):
                    used.append(row)
            if not used:
                self._write(rows)
        return used

    def publish(self, row: ShardRow) -> None:
        """Record that a shard is in place; the shards with any of its certificates are former ones."""
        with transaction(self._sql):
            self._sql.execute(
                "UPDATE shards SET state = ?, files = '[]' WHERE fleet = ? AND state = ?"
                " AND last >= ? AND first <= ?",
                (FORMER, row.fleet, CURRENT, row.first, row.last),
            )
            self._write([row])

    def update(self, row: ShardRow) -> None:
        """Replace the row of a shard."""
        with transaction(self._sql):
            self._write([row])

    def retire(self, row: ShardRow) -> None:
        """Record that a shard is deleted, unless another one replaced it already."""
        self._sql.execute(
            "UPDATE shards SET state = ?, files = '[]' WHERE authority = ? AND base = ? AND state = ?",
            (FORMER, row.authority, _hex(row.base), CURRENT),
        )

    def current(self, fleet: str) -> list[ShardRow]:
        """Return the shards of a fleet that are in place, in the order of their certificates."""
        return list(self._select("fleet = ? AND state = ? ORDER BY first", (fleet, CURRENT)))

    def revoked(self, fleet: str) -> int:
        """Return the number of revoked certificates of a fleet's current shards."""
        query = "SELECT count(DISTINCT serial) FROM revocations WHERE issuer = ? AND serial BETWEEN ? AND ?"
        limits = (
            (row.authority, _hex(row.serial(row.first)), _hex(row.serial(row.last)))
            for row in self.current(fleet)
        )
        return sum(self._sql.execute(query, limit).fetchone()[0] for limit in limits)

    def selected(self, name: str) -> Iterator[str]:
        """Yield a certificate of each current shard that a name selects: of a fleet, or of certificates.

        ``name`` can be a glob.
        """
        for row in (row for fleet in self.fleets() for row in self.current(fleet)):
            members = map(row.name, range(row.first, row.last + 1))
            if name == row.fleet or name in row or any(fnmatchcase(member, name) for member in members):
                yield row.name(row.first)

    def times_published(self, fleet: str, first: int, last: int) -> int:
        """Return how many shards with any of some certificates were in place before, or are now."""
        query = "SELECT COUNT(*) FROM shards WHERE fleet = ? AND state > 0 AND last >= ? AND first <= ?"
        count: int = self._sql.execute(query, (fleet, first, last)).fetchone()[0] if self._exists else 0
        return count

    def fleets(self) -> list[str]:
        """Return the names of the fleets with shards in place."""
        if not self._exists:
            return []
        query = "SELECT DISTINCT fleet FROM shards WHERE state = ? ORDER BY fleet"
        return [row[0] for row in self._sql.execute(query, (CURRENT,))]

    def of_serial(self, authority: str, serial: int) -> tuple[ShardRow, int] | None:
        """Return the shard, current or former, and the number of the certificate with a serial number."""
        index = serial & ((1 << INDEX_BITS) - 1)
        row = self._one("authority = ? AND base = ? AND state > 0", (authority, _hex(serial - index)))
        return None if row is None or not row.first <= index <= row.last else (row, index)

    def of_name(self, name: str) -> tuple[ShardRow, int] | None:
        """Return the current shard and the number of the certificate with a name."""
        fleet, _, digits = name.rpartition("-")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > INDEX_BITS // 3:
            return None
        row = self.of_index(fleet, int(digits))
        return None if row is None or row.width != len(digits) else (row, int(digits))

    def of_index(self, fleet: str, index: int) -> ShardRow | None:
        """Return the current shard of a certificate by its number."""
        return self._one(
            "fleet = ? AND state = ? AND first <= ? AND last >= ?", (fleet, CURRENT, index, index)
        )

    def _one(self, condition: str, values: Iterable[object]) -> ShardRow | None:
        return next(self._select(condition, tuple(values)), None)

    def _select(self, condition: str, values: tuple[object, ...]) -> Iterator[ShardRow]:
        if not self._exists:
            return
        query = f"SELECT {_COLUMNS} FROM shards WHERE {condition}"  # noqa: S608
        for row in self._sql.execute(query, values).fetchall():
            yield _row(row)

    def _is_issued(self, row: ShardRow) -> bool:
        """Return whether an ordinary certificate has a serial number of a shard."""
        query = "SELECT 1 FROM serials WHERE authority = ? AND serial BETWEEN ? AND ? LIMIT 1"
        limits = _hex(row.serial(row.first)), _hex(row.serial(row.last))
        return self._sql.execute(query, (row.authority, *limits)).fetchone() is not None

    def _write(self, rows: Iterable[ShardRow]) -> None:
        marks = ",".join("?" * len(_COLUMNS.split(",")))
        values = (
            (
                *(
                    row.authority,
                    _hex(row.base),
                    row.fleet,
                    row.first,
                    row.last,
                    row.width,
                    row.state,
                    row.spec,
                ),
                *(row.issuers, row.not_before, row.not_after, row.revoked, json.dumps(row.files)),
            )
            for row in rows
        )
        self._sql.executemany(f"INSERT OR REPLACE INTO shards VALUES ({marks})", values)  # noqa: S608

    @property
    def _exists(self) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'shards'"
        return self._sql.execute(query).fetchone() is not None


def _hex(serial: int) -> str:
    return f"{serial:040x}"


def _range(row: ShardRow) -> tuple[str, int, int]:
    return row.fleet, row.first, row.last


def _row(row: Sequence[Any]) -> ShardRow:
    with decoding(f"shards: {row[2]}"):
        authority, base, fleet, first, last, width, state, spec, issuers, begin, end, revoked, files = row
        texts = (authority, fleet, spec, issuers, revoked)
        numbers = (first, last, width, state, begin, end)
        if not all(type(text) is str for text in texts) or not all(type(one) is int for one in numbers):
            raise DamagedIndex(f"shards: {fleet}")
        paths = tuple(ShardFile(*map(_checked, file, (str, str, int, int))) for file in json.loads(files))
        limits = (int(base, 16), fleet, first, last)
        return ShardRow(authority, *limits, width, state, spec, issuers, begin, end, revoked, paths)


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value
