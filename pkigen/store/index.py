"""The index of an environment: typed access to its SQLite database (see ``schema``).

An environment may be damaged, or come from somebody else. Every value that is read from the index is
checked here: ids and paths stay inside the environment, times can be represented, JSON can be parsed. A
value that no version of pkigen writes raises DamagedIndex.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pkigen.model import REASON_CODES
from pkigen.store.enrolled import EnrolledTable
from pkigen.store.entries import CrlState, DamagedIndex, Entry, Record, Revoked, decoding, transaction
from pkigen.store.layout import is_entity, is_file_name, is_relative
from pkigen.store.recorded_state import RecordedState
from pkigen.store.schema import ENTITY
from pkigen.store.shards import ShardTable

_COLUMNS = (
    "id, spec, output, issuers, key_kind, key_source, spki, serials, not_before, not_after, record, files"
)
_SERIAL_DIGITS, _LONGEST_NAME = 40, 100
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999, in seconds since the epoch."""


class Index:
    """Reads and writes the tables of the index. Every method that writes commits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection
        self.enrolled = EnrolledTable(connection)
        self.shards = ShardTable(connection)
        self.recorded = RecordedState(connection)

    def close(self) -> None:
        """Close the database connection."""
        self._sql.close()

    def meta(self, key: str) -> str | None:
        """Return a value that belongs to the environment as a whole."""
        row = self._sql.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return _text(row[0], f"meta: {key}") if row else None

    def set_meta(self, key: str, value: str) -> None:
        """Store a value that belongs to the environment as a whole."""
        self._sql.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def get(self, ids: Sequence[str]) -> dict[str, Entry]:
        """Return the entries of some ids; ids without an entry are missing from the result."""
        marks = ",".join("?" * len(ids))
        rows = self._sql.execute(f"SELECT {_COLUMNS} FROM entities WHERE id IN ({marks})", ids)  # noqa: S608
        return {row[0]: _entry(row) for row in rows}

    def records(self, ids: Sequence[str]) -> dict[str, Record]:
        """Return the records of some ids, which the manifest needs; as ``get``."""
        marks = ",".join("?" * len(ids))
        columns = "id, record, not_before, not_after, serials, issuers, json_valid(record)"
        rows = self._sql.execute(f"SELECT {columns} FROM entities WHERE id IN ({marks})", ids)  # noqa: S608
        return {row[0]: _record(row) for row in rows}

    def entry(self, entity_id: str) -> Entry:
        """Return the entry of an id that other values of the index refer to."""
        entry = self.get([entity_id]).get(entity_id)
        if entry is None:
            raise DamagedIndex(f"entities: {entity_id} is missing")
        return entry

    def entries(self) -> Iterator[Entry]:
        """Return all entries one by one, ordered by id."""
        rows = self._sql.execute(f"SELECT {_COLUMNS} FROM entities ORDER BY id")  # noqa: S608
        return map(_entry, rows)

    def ids(self) -> Iterator[str]:
        """Return all ids in order."""
        return (_id(row[0]) for row in self._sql.execute("SELECT id FROM entities ORDER BY id"))

    def generation(self, entity_id: str) -> int:
        """Return how often an entity was issued, also if it was pruned since."""
        row = self._sql.execute("SELECT times FROM issued WHERE id = ?", (entity_id,)).fetchone()
        return _number(row[0], f"issued: {entity_id}") if row else 0

    def issued_count(self) -> int:
        """Return how many times any entity was issued."""
        (count,) = self._sql.execute("SELECT COALESCE(SUM(times), 0) FROM issued").fetchone()
        return _number(count, "issued")

    def begin_publishing(self, rows: Iterable[tuple[Entry, str]]) -> None:
        """Write entries and the names of their staging directories to the journal."""
        with transaction(self._sql):
            marks = ",".join("?" * 13)
            values = ((*_row(entry), folder) for entry, folder in rows)
            self._sql.executemany(f"INSERT OR REPLACE INTO journal VALUES ({marks})", values)  # noqa: S608

    def end_publishing(self) -> None:
        """Move all entries of the journal to the index, once their directories are in place."""
        with transaction(self._sql):
            self._sql.execute(
                f"INSERT OR REPLACE INTO entities ({_COLUMNS}) SELECT {_COLUMNS} FROM journal"  # noqa: S608
            )
            self._sql.execute(
                "INSERT INTO issued SELECT id, 1 FROM journal WHERE true"
                " ON CONFLICT (id) DO UPDATE SET times = times + 1"
            )
            self._sql.execute("DELETE FROM journal")

    def journal(self) -> list[tuple[Entry, str]]:
        """Return the journal of a killed build: entries and the names of their staging directories."""
        rows = self._sql.execute(f'SELECT {_COLUMNS}, "folder" FROM journal').fetchall()  # noqa: S608
        if not all(_is_staging_name(row[-1]) for row in rows):
            raise DamagedIndex("journal")
        return [(_entry(row[:-1]), row[-1]) for row in rows]

    def pretend_published(self, ids: Iterable[str]) -> None:
        """Present some entries of the journal as published, for this connection only.

        A temporary table hides the permanent one with the same name, so that the index stays unchanged.
        """
        self._sql.execute("PRAGMA temp_store = MEMORY")
        self._sql.execute(f"CREATE TEMPORARY TABLE entities ({ENTITY})")
        self._sql.execute("INSERT INTO temp.entities SELECT * FROM main.entities")
        query = f"INSERT OR REPLACE INTO temp.entities SELECT {_COLUMNS} FROM journal WHERE id = ?"  # noqa: S608
        self._sql.executemany(query, ((entity_id,) for entity_id in ids))

    def forget_publishing(self, entity_id: str) -> None:
        """Delete an entry from the journal whose publication was rolled back."""
        self._sql.execute("DELETE FROM journal WHERE id = ?", (entity_id,))

    def remove(self, entity_id: str) -> None:
        """Delete an entity; its serial numbers, CRL number and revocations stay."""
        with transaction(self._sql):
            self._sql.execute(
                "INSERT OR REPLACE INTO meta SELECT 'pruned ' || id, serials FROM entities WHERE id = ?",
                (entity_id,),
            )
            self._sql.execute("DELETE FROM entities WHERE id = ?", (entity_id,))
            self._sql.execute("DELETE FROM crls WHERE authority = ?", (entity_id,))

    def reserve(self, serials: Iterable[tuple[str, int, str]]) -> list[tuple[str, int]]:
        """Record (authority, serial, entity) as used; return those that another entity uses already.

        The same entity may use a serial again: a killed build reserved it and issued nothing.
        """
        rows = [(authority, f"{serial:0{_SERIAL_DIGITS}x}", entity) for authority, serial, entity in serials]
        with transaction(self._sql):
            cursor = self._sql.executemany("INSERT OR IGNORE INTO serials VALUES (?, ?, ?)", rows)
        if cursor.rowcount == len(rows):
            return []
        query = "SELECT 1 FROM serials WHERE authority = ? AND serial = ? AND entity != ?"
        return [(row[0], int(row[1], 16)) for row in rows if self._sql.execute(query, row).fetchone()]

    def serials_of(self, entity_id: str) -> list[tuple[str, int]]:
        """Return (authority, serial) of every certificate that an entity ever had."""
        query = "SELECT authority, serial FROM serials WHERE entity = ?"
        with decoding(f"serials: {entity_id}"):
            return [(row[0], int(row[1], 16)) for row in self._sql.execute(query, (entity_id,))]

    def pruned_serials(self, entity_id: str) -> tuple[tuple[str, int], ...]:
        """Return (authority, serial) of the last certificates of a deleted entity, the main one first."""
        with decoding(f"meta: pruned {entity_id}"):
            return _serials(self.meta(f"pruned {entity_id}") or "[]")

    def earlier_serials(self) -> dict[str, list[tuple[str, int]]]:
        """Return (authority, serial) of all certificates of the entities that had more than one."""
        query = (
            "SELECT entity, authority, serial FROM serials WHERE entity IN"
            " (SELECT entity FROM serials GROUP BY entity HAVING COUNT(*) > 1)"
        )
        serials = dict[str, list[tuple[str, int]]]()
        with decoding("serials"):
            for entity, authority, serial in self._sql.execute(query):
                serials.setdefault(entity, []).append((authority, int(serial, 16)))
        return serials

    def subject_of(self, authority: str, serial: int) -> str | None:
        """Return the id of the entity that an authority issued a serial number to, or None."""
        query = "SELECT entity FROM serials WHERE authority = ? AND serial = ?"
        row = self._sql.execute(query, (authority, f"{serial:0{_SERIAL_DIGITS}x}")).fetchone()
        return row[0] if row else None

    def is_taken(self, entity_id: str) -> bool:
        """Return whether an entity has or had an id, apart from case; file systems may not distinguish it."""
        for table in ("entities", "issued"):
            query = f"SELECT 1 FROM {table} WHERE id = ? COLLATE NOCASE"  # noqa: S608
            if self._sql.execute(query, (entity_id,)).fetchone():
                return True
        return self.enrolled.get(entity_id) is not None

    def ids_ever_issued(self) -> list[str]:
        """Return the ids of all entities that ever had a serial number, in order."""
        return [row[0] for row in self._sql.execute("SELECT DISTINCT entity FROM serials ORDER BY entity")]

    def next_crl_number(self, authority: str) -> int:
        """Reserve and return the next CRL number of an authority."""
        with transaction(self._sql):
            query = "SELECT number FROM crl_numbers WHERE authority = ?"
            row = self._sql.execute(query, (authority,)).fetchone()
            number = 1 + (_number(row[0], f"crl_numbers: {authority}") if row else 0)
            self._sql.execute("INSERT OR REPLACE INTO crl_numbers VALUES (?, ?)", (authority, number))
            return number

    def raise_crl_number(self, authority: str, number: int) -> None:
        """Record that an authority used CRL numbers up to ``number`` elsewhere."""
        with transaction(self._sql):
            self._sql.execute(
                "INSERT INTO crl_numbers VALUES (?, ?)"
                " ON CONFLICT DO UPDATE SET number = max(number, excluded.number)",
                (authority, number),
            )

    def crl(self, authority: str) -> CrlState | None:
        """Return the state of the last CRL of an authority, or OCSP response about an end entity."""
        row = self._sql.execute("SELECT * FROM crls WHERE authority = ?", (authority,)).fetchone()
        if row is None:
            return None
        issuer, number, this_update, next_update, digest, files = row
        with decoding(f"crls: {authority}"):
            times = _second(this_update), _second(next_update)
            _number(number, "number")
            return CrlState(issuer, number, *times, _text(digest, "digest"), _pairs(files))

    def set_crl(self, state: CrlState) -> None:
        """Record a published CRL or OCSP response."""
        row = (state.authority, state.number, state.this_update, state.next_update, state.digest)
        self._sql.execute(
            "INSERT OR REPLACE INTO crls VALUES (?, ?, ?, ?, ?, ?)", (*row, json.dumps(state.files))
        )

    def set_revocations(self, revocations: Iterable[Revoked]) -> None:
        """Record revocations, and replace those with the same issuer, serial and source."""
        with transaction(self._sql):
            self._insert_revocations(revocations)

    def replace_revocations(self, issuer: str, first: int, last: int, revocations: Iterable[Revoked]) -> None:
        """Replace the profile's revocations of a range of serial numbers."""
        with transaction(self._sql):
            self._sql.execute(
                "DELETE FROM revocations WHERE issuer = ? AND serial BETWEEN ? AND ? AND source = 'profile'",
                (issuer, f"{first:0{_SERIAL_DIGITS}x}", f"{last:0{_SERIAL_DIGITS}x}"),
            )
            self._insert_revocations(revocations)

    def _insert_revocations(self, revocations: Iterable[Revoked]) -> None:
        self._sql.executemany(
            "INSERT OR REPLACE INTO revocations VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((one.issuer_id, f"{one.serial:0{_SERIAL_DIGITS}x}", *one[2:]) for one in revocations),
        )

    def clear_revocations(self, revocations: Iterable[Revoked]) -> None:
        """Delete revocations."""
        with transaction(self._sql):
            self._sql.executemany(
                "DELETE FROM revocations WHERE issuer = ? AND serial = ? AND source = ?",
                ((r.issuer_id, f"{r.serial:0{_SERIAL_DIGITS}x}", r.source) for r in revocations),
            )

    def revocations(self, issuer: str) -> Iterator[Revoked]:
        """Return the revocations of an authority, ordered by serial; a command's before the profile's."""
        query = "SELECT * FROM revocations WHERE issuer = ? ORDER BY serial, source"
        with decoding(f"revocations: {issuer}"):
            yield from map(_revoked, self._sql.execute(query, (issuer,)))

    def revocations_between(self, issuer: str, first: int, last: int) -> list[Revoked]:
        """Return the revocations of a range of serial numbers."""
        query = (
            "SELECT * FROM revocations WHERE issuer = ? AND serial BETWEEN ? AND ? ORDER BY serial, source"
        )
        limits = f"{first:0{_SERIAL_DIGITS}x}", f"{last:0{_SERIAL_DIGITS}x}"
        with decoding(f"revocations: {issuer}"):
            return list(map(_revoked, self._sql.execute(query, (issuer, *limits))))

    def revocation(self, issuer: str, serial: int) -> Revoked | None:
        """Return the revocation of one serial number, or None."""
        query = "SELECT * FROM revocations WHERE issuer = ? AND serial = ? ORDER BY source LIMIT 1"
        row = self._sql.execute(query, (issuer, f"{serial:0{_SERIAL_DIGITS}x}")).fetchone()
        with decoding(f"revocations: {issuer}"):
            return _revoked(row) if row else None

    def revocations_of(self, entity_id: str) -> list[Revoked]:
        """Return the revocations of an entity's certificates, including former ones."""
        query = "SELECT * FROM revocations WHERE entity = ? ORDER BY issuer, serial, source"
        with decoding(f"revocations: {entity_id}"):
            return list(map(_revoked, self._sql.execute(query, (entity_id,))))

    def revoked_entities(self) -> set[str]:
        """Return the ids of all entities with a revocation, also of a former certificate."""
        return {row[0] for row in self._sql.execute("SELECT DISTINCT entity FROM revocations")}

    def cases_revoked(self, issuer: str) -> dict[str, str]:
        """Return the revoked cases with a fault of an authority: their ids, and the names of their bases."""
        query = (
            "SELECT id, json_extract(record, '$.fault.base') AS base FROM entities WHERE base IS NOT NULL"
            " AND id IN (SELECT entity FROM revocations WHERE issuer = ?)"
        )
        return dict(self._sql.execute(query, (issuer,)).fetchall())

    def cases_with_fault(self, base: str, faults: Iterable[str]) -> frozenset[str]:
        """Return the ids of the cases of a certificate (name) with one of some faults, and of their CAs."""
        query = (
            "SELECT id, json_extract(record, '$.fault.id') FROM entities"
            " WHERE json_extract(record, '$.fault.base') = ?"
        )
        rows = self._sql.execute(query, (base,)).fetchall()
        return frozenset(entity for entity, fault in rows if fault in set(faults))

    def set_publishers(self, plans: Iterable[tuple[str, str]]) -> None:
        """Replace all publication plans by these: (id, plan as JSON)."""
        with transaction(self._sql):
            self._sql.execute("DELETE FROM publishers")
            self._sql.executemany("INSERT INTO publishers VALUES (?, ?)", plans)

    def publishers(self) -> dict[str, str]:
        """Return the publication plans by id, as JSON."""
        rows = self._sql.execute("SELECT id, plan FROM publishers ORDER BY id")
        return {_id(entity): _text(plan, f"publishers: {entity}") for entity, plan in rows}


def _row(entry: Entry) -> tuple[object, ...]:
    serials = json.dumps([[issuer, f"{serial:x}"] for issuer, serial in entry.serials])
    return (
        entry.id, entry.spec, entry.output, entry.issuers, entry.key_kind, entry.key_source, entry.spki,
        serials, entry.not_before, entry.not_after, entry.record, json.dumps(entry.files),
    )  # fmt: skip


def _entry(row: Sequence[Any]) -> Entry:
    with decoding(f"entities: {row[0]}"):
        values = list(row)
        values[7] = _serials(row[7])
        values[11] = _pairs(row[11])
        entry = Entry(*values)
        _id(entry.id), _second(entry.not_before), _second(entry.not_after)
        if not all(type(value) is str for value in (*values[1:7], entry.record)):
            raise TypeError
        return entry


def _record(row: Sequence[Any]) -> Record:
    *values, is_json = row
    with decoding(f"entities: {row[0]}"):
        record = Record(*values)
        _id(record.id), _second(record.not_before), _second(record.not_after), _serials(record.serials)
        if not is_json or not record.record.startswith("{"):
            raise ValueError
        return record


def _serials(text: str) -> tuple[tuple[str, int], ...]:
    """Decode (issuer id, serial); a current certificate is the first."""
    return tuple((_text(issuer, "serials"), int(serial, 16)) for issuer, serial in json.loads(text))


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Decode (path, digest); every path stays inside the environment."""
    pairs = tuple((path, digest) for path, digest in json.loads(text))
    if not all(is_relative(path) and type(digest) is str for path, digest in pairs):
        raise ValueError
    return pairs


def _revoked(row: Sequence[Any]) -> Revoked:
    issuer, serial, entity, reason, at, source, text, since = row
    if reason not in REASON_CODES or type(at) is not int or not _FIRST_SECOND <= at <= _LAST_SECOND:
        raise ValueError
    if since is not None:
        _second(since)
    return Revoked(issuer, int(serial, 16), _text(entity, "entity"), reason, at, source, text, since)


def _id(value: Any) -> str:
    if not is_entity(_text(value, "id")):
        raise DamagedIndex(f"id {value}")
    return str(value)


def _is_staging_name(value: Any) -> bool:
    return type(value) is str and len(value) <= _LONGEST_NAME and bool(is_file_name(value))


def _text(value: Any, place: str) -> str:
    if type(value) is not str:
        raise DamagedIndex(place)
    return value


def _number(value: Any, place: str) -> int:
    if type(value) is not int or value < 0:
        raise DamagedIndex(place)
    return value


def _second(value: Any) -> int:
    """Return a time in seconds since the epoch, if datetime can represent it."""
    if type(value) is not int or not _FIRST_SECOND <= value <= _LAST_SECOND:
        raise ValueError
    return value
