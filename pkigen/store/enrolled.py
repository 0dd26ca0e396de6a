"""The table of the certificates that devices requested: builds neither reissue nor delete them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, field

from pkigen.store.entries import DamagedIndex, decoding, transaction
from pkigen.store.layout import is_entity

_COLUMNS = "id, template, protocol, requester, at, request, verdict, faults"
ENROLLED = f"CREATE TABLE IF NOT EXISTS enrolled ({_COLUMNS.replace('id', 'id TEXT PRIMARY KEY')});"

_INDEXES = tuple(
    f"CREATE INDEX IF NOT EXISTS {table}_nocase ON {table} (id COLLATE NOCASE)"
    for table in ("entities", "issued")
)
"""For ``Index.is_taken``, which environments without requested certificates do not need."""


@dataclass(frozen=True, slots=True)
class EnrolledRow:
    """How a device got a certificate.

    ``template`` is empty for a request by command without a template, ``requester`` is what the protocol
    knows about the client, ``at`` is the time in seconds since the epoch, ``request`` is the certification
    request (PKCS#10, DER), empty if the protocol has another form. ``verdict`` is the expected verdict of a
    certificate with a fault, as JSON, otherwise empty. ``faults`` are those that the template does not
    have, as a JSON list in the form of a profile; empty without any.
    """

    id: str
    template: str
    protocol: str
    requester: str
    at: int
    request: bytes = field(repr=False)
    verdict: str = ""
    faults: str = ""


class EnrolledTable:
    """Reads and writes the table; an index of an older version has none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._sql = connection

    def add(self, rows: Iterable[EnrolledRow]) -> None:
        """Record requests, before their certificates are published: a build must never delete those."""
        values = [astuple(row) for row in rows]
        marks = ",".join("?" * len(_COLUMNS.split(",")))
        with transaction(self._sql):  # otherwise each row would be a transaction
            for index in _INDEXES:
                self._sql.execute(index)
            self._sql.executemany(f"INSERT OR REPLACE INTO enrolled VALUES ({marks})", values)  # noqa: S608

    def ids(self) -> frozenset[str]:
        """Return the ids of all certificates that devices requested."""
        if not self._exists:
            return frozenset()
        return frozenset(row[0] for row in self._sql.execute("SELECT id FROM enrolled"))

    def get(self, entity_id: str) -> EnrolledRow | None:
        """Return the request of one certificate, None if no device requested it."""
        if not self._exists:
            return None
        query = f"SELECT {_COLUMNS} FROM enrolled WHERE id = ?"  # noqa: S608
        row = self._sql.execute(query, (entity_id,)).fetchone()
        return None if row is None else _row(row)

    def rows(self, ids: Sequence[str]) -> dict[str, EnrolledRow]:
        """Return the requests of some certificates that devices requested."""
        marks = ",".join("?" * len(ids))
        query = f"SELECT {_COLUMNS} FROM enrolled WHERE id IN ({marks})"  # noqa: S608
        return {row[0]: _row(row) for row in self._sql.execute(query, ids)}

    def serials(self) -> dict[str, str]:
        """Return the serial numbers of the issued certificates (JSON) by id, in the order of their ids."""
        return {entity: serials for entity, serials, _ in self.issuers()}

    def issuers(self) -> list[tuple[str, str, str]]:
        """Return (id, serial numbers as JSON, fingerprints of issuers) of the issued certificates, by id."""
        if not self._exists:
            return []
        query = "SELECT id, serials, issuers FROM entities WHERE id IN (SELECT id FROM enrolled) ORDER BY id"
        return self._sql.execute(query).fetchall()

    def revoked(self) -> list[str]:
        """Return the ids of those with a revocation, also of a former certificate."""
        if not self._exists:
            return []
        query = "SELECT DISTINCT entity FROM revocations WHERE entity IN (SELECT id FROM enrolled)"
        return [row[0] for row in self._sql.execute(query)]

    @property
    def _exists(self) -> bool:
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'enrolled'"
        return self._sql.execute(query).fetchone() is not None


def _row(row: tuple[object, ...]) -> EnrolledRow:
    with decoding(f"enrolled: {row[0]}"):
        entity, template, protocol, requester, at, request, verdict, faults = row
        texts = (entity, template, protocol, requester, verdict, faults)
        if not all(type(text) is str for text in texts) or type(at) is not int or type(request) is not bytes:
            raise DamagedIndex(f"enrolled: {entity}")
        if not is_entity(str(entity)):
            raise DamagedIndex(f"enrolled: {entity}")
        if verdict and not isinstance(json.loads(str(verdict)), dict):
            raise DamagedIndex(f"enrolled: {entity}")
        if faults and not isinstance(json.loads(str(faults)), list):
            raise DamagedIndex(f"enrolled: {entity}")
        names = (str(template), str(protocol), str(requester))
        return EnrolledRow(str(entity), *names, at, request, str(verdict), str(faults))
