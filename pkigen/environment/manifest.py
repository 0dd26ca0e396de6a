"""Writes manifest.json, entity by entity from what the index keeps (see manifest_schema)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from pkigen.environment import crls
from pkigen.environment.uploads import Uploads
from pkigen.model import Entity, Fault, OcspPlan
from pkigen.plan import Plan
from pkigen.store import Record, Store

PATH = "manifest.json"
TRUST = "trust.pem"
_CHUNK = 256


@dataclass(frozen=True)
class ManifestWriter:
    """The manifest of a plan as it stands in the store.

    ``certificates`` are the ids of the end entities in the profile's order, ``trusted`` those of the
    authorities in trust.pem, ``revoked`` those of whom a revocation is on record,
    ``orphans`` those whose issuer was issued anew and who were not.
    """

    plan: Plan
    certificates: Sequence[str]
    store: Store
    trusted: frozenset[str]
    seeded: bool
    revoked: frozenset[str]
    orphans: frozenset[str]

    @cached_property
    def _faults(self) -> dict[str, Fault]:
        return {entity.id: entity.fault for entity in self.plan.cases if entity.fault is not None}

    @cached_property
    def _at_their_end(self) -> frozenset[str]:
        """Cases whose verdict is about the second at which they end."""
        clock = self.plan.clock
        return frozenset(one.id for one in self.plan.cases if one.certificates[0].not_after == clock)

    @cached_property
    def _uploads(self) -> Uploads:
        folder, published = self.store.folder, dict[str, bytes]()
        for entity in self.plan.authorities:
            if entity.crl is not None and self.store.index.crl(entity.id) is not None:
                path = folder / crls.crl_path(entity)
                published[entity.crl.url] = path.read_bytes() if path.is_file() else b""
        return Uploads(self.plan, folder, folder / TRUST, published)

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
            "requirements": list(self.plan.requirements),
            "seeded": self.seeded,
            "trust": TRUST,
        }
        yield _json(header)[1:-1]
        yield ',"authorities":['
        states = {entity.id: entity for entity in self.plan.authorities}
        yield from _joined(self._records(list(states), lambda record: self._authority(states[record.id])))
        yield '\n],"cases":['
        yield from _joined(self._records(self.certificates, self._verdict))
        yield "\n]}\n"

    def _records(self, ids: Sequence[str], further: Callable[[Record], dict[str, Any]]) -> Iterator[str]:
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            records = self.store.index.records(chunk)
            for found in map(records.get, chunk):
                if found is not None:
                    yield found.record[:-1] + "," + _json(further(found))[1:]

    def _authority(self, entity: Entity) -> dict[str, Any]:
        revoked = self._revocation(entity.id)
        return {"revoked": revoked, "trusted": entity.id in self.trusted, "crl": self._crl(entity)}

    def _verdict(self, record: Record) -> dict[str, Any]:
        """What is to be expected at the build's clock of who trusts what the case is for."""
        revoked = self._revocation(record.id)
        fault = self._faults.get(record.id)
        if fault is not None:
            uploads = self._uploads.verdicts(json.loads(record.record)) if self.plan.sets else []
            if fault.stage is not None:
                verdict = {"expected": fault.expected, "stage": fault.stage, "reason": fault.says}
                if record.id in self._at_their_end:
                    verdict["at"] = _iso(record.not_after)
                return {"revoked": revoked, "verdict": verdict, **self._answer(record), "uploads": uploads}
            return {**self._sound(record, revoked), "uploads": uploads}
        return self._sound(record, revoked)

    def _sound(self, record: Record, revoked: dict[str, str] | None) -> dict[str, Any]:
        """The verdict on what no fault breaks."""
        now = int(self.plan.clock.timestamp())
        if record.self_signed:
            return _reject(revoked, "path", "it is self-signed and not a trust anchor")
        if record.id in self.orphans:
            return _reject(revoked, "path", "its issuer was issued anew, and it was not")
        if record.not_after < now:
            return _reject(revoked, "path", "it has expired")
        if record.not_before > now:
            return _reject(revoked, "path", "it is not valid yet")
        if revoked is not None:
            return _reject(revoked, "revocation", f"its CRL lists it: {revoked['reason']}")
        return {"revoked": None, "verdict": {"expected": "accept", "stage": None, "reason": None}}

    def _answer(self, record: Record) -> dict[str, Any]:
        """What the manifest says of an OCSP answer, if there is one."""
        state, asked = self.store.index.crl(record.id), self._asked.get(record.id)
        if state is None or asked is None:
            return {}
        told = {
            "url": asked.url,
            "file": state.files[0][0],
            "this_update": _iso(state.this_update),
            "next_update": None if asked.lifetime is None else _iso(state.next_update),
        }
        return {"ocsp": told}

    @cached_property
    def _asked(self) -> dict[str, OcspPlan]:
        """The OCSP answers that are planned, by the id of the entity."""
        return {entity.id: entity.ocsp for entity in self.plan.cases if entity.ocsp is not None}

    def _revocation(self, entity_id: str) -> dict[str, str] | None:
        """The revocation of an entity's present main certificate, if it is revoked."""
        if entity_id not in self.revoked:
            return None
        entry = self.store.index.get([entity_id])[entity_id]
        for found in self.store.index.revocations_of(entity_id):
            if (found.issuer_id, found.serial) == entry.serials[0]:
                return {"reason": found.reason, "at": _iso(found.at)}
        return None

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


def _reject(revoked: dict[str, str] | None, stage: str, reason: str) -> dict[str, Any]:
    return {"revoked": revoked, "verdict": {"expected": "reject", "stage": stage, "reason": reason}}


def _joined(records: Iterable[str]) -> Iterator[str]:
    separator = "\n"
    for record in records:
        yield separator + record
        separator = ",\n"


def _iso(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
