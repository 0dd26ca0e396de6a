"""Writes manifest.json, entity by entity from what the index keeps (see manifest_schema)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from pkigen.environment import crls
from pkigen.model import Entity, Role
from pkigen.plan import Plan
from pkigen.store import Entry, Revoked, Store

PATH = "manifest.json"
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class ManifestWriter:
    """The manifest of a plan as it stands in the store; ``trusted`` are the ids in trust.pem."""

    plan: Plan
    store: Store
    trusted: frozenset[str]
    seeded: bool

    def write(self) -> None:
        """Write manifest.json; it stays untouched where only its clock would differ."""
        digest = sha256()
        for part in self._body():
            digest.update(part.encode())
        path = self.store.folder / PATH
        held = self.store.index.meta("manifest")
        if held is not None and path.is_file():
            written, content = held.split(":")
            if content == digest.hexdigest() and written == sha256(path.read_bytes()).hexdigest():
                return
        written = self.store.write_loose(PATH, (part.encode() for part in self._document()))
        self.store.index.set_meta("manifest", f"{written}:{digest.hexdigest()}")

    def _document(self) -> Iterator[str]:
        clock = {"clock": _iso(int(self.plan.clock.timestamp()))}
        yield _json(clock)[:-1] + ","
        yield from self._body()

    def _body(self) -> Iterator[str]:
        header = {
            "format": "pkigen-manifest",
            "version": 1,
            "environment": self.plan.name,
            "base_url": self.plan.base_url,
            "seeded": self.seeded,
            "trust": "trust.pem",
        }
        yield _json(header)[1:-1]
        yield ',"authorities":['
        yield from _joined(self._records(self.plan.authorities))
        yield '\n],"cases":['
        yield from _joined(self._records(self.plan.certificates()))
        yield "\n]}\n"

    def _records(self, entities: Iterable[Entity]) -> Iterator[str]:
        remaining = iter(entities)
        while chunk := list(islice(remaining, _CHUNK)):
            entries = self.store.index.get([entity.id for entity in chunk])
            for entity in chunk:
                entry = entries.get(entity.id)
                if entry is not None:
                    yield entry.record[:-1] + "," + _json(self._state(entity, entry))[1:]

    def _state(self, entity: Entity, entry: Entry) -> dict[str, Any]:
        """What changes without a new certificate."""
        revoked = self._revoked(entity, entry)
        reason = None if revoked is None else {"reason": revoked.reason, "at": _iso(revoked.at)}
        if entity.role is Role.CERTIFICATE:
            return {"revoked": reason, "verdict": self._verdict(entry, revoked)}
        return {"revoked": reason, "trusted": entity.id in self.trusted, "crl": self._crl(entity)}

    def _revoked(self, entity: Entity, entry: Entry) -> Revoked | None:
        if entity.revocation is None:
            return None
        main = entry.serials[0]
        for found in self.store.index.revocations_of(entity.id):
            if (found.issuer_id, found.serial) == main:
                return found
        return None

    def _verdict(self, entry: Entry, revoked: Revoked | None) -> dict[str, str | None]:
        now = int(self.plan.clock.timestamp())
        if entry.serials[0][0] == entry.id:
            return _reject("path", "it is self-signed and not a trust anchor")
        if entry.not_after < now:
            return _reject("path", "it has expired")
        if entry.not_before > now:
            return _reject("path", "it is not valid yet")
        if revoked is not None:
            return _reject("revocation", f"its CRL lists it: {revoked.reason}")
        return {"expected": "accept", "stage": None, "reason": None}

    def _crl(self, entity: Entity) -> dict[str, Any] | None:
        state = self.store.index.crl(entity.id)
        if state is None or entity.crl is None:
            return None
        return {
            "url": entity.crl.url,
            "file": crls.crl_path(entity),
            "number": state.number,
            "this_update": _iso(state.this_update),
            "next_update": _iso(state.next_update),
        }


def _reject(stage: str, reason: str) -> dict[str, str | None]:
    return {"expected": "reject", "stage": stage, "reason": reason}


def _joined(records: Iterable[str]) -> Iterator[str]:
    separator = "\n"
    for record in records:
        yield separator + record
        separator = ",\n"


def _iso(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
