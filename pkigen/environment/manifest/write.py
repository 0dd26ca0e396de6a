"""Writes manifest.json: one line per authority and case, from the entries in the index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from typing import Any

from pkigen.environment import crl
from pkigen.environment.manifest.entries import crl_entry, revocation_entry
from pkigen.environment.manifest.verdicts import UploadVerdicts, verdict_without_fault
from pkigen.environment.ocsp import presigned
from pkigen.environment.published.publishers import crl_issuer
from pkigen.model import Entity, Fault, OcspPlan
from pkigen.plan import Plan
from pkigen.store import Record, Store

PATH = "manifest.json"
_LISTS = ("authorities", "cases")


def as_json(value: object) -> str:
    """One line, as compact as it can be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def body(header: Mapping[str, Any], authorities: Iterable[str], cases: Iterable[str]) -> Iterator[str]:
    """All but the clock, in pieces; authorities and cases are JSON already."""
    yield as_json(header)[1:-1]
    yield ',"authorities":['
    yield from _lines(authorities)
    yield '\n],"cases":['
    yield from _lines(cases)
    yield "\n]}\n"


def write_body(store: Store, clock: str, pieces: Callable[[], Iterator[str]]) -> None:
    """Write the manifest; it stays untouched where only its clock would differ."""
    digest = sha256()
    for piece in pieces():
        digest.update(piece.encode())
    path = store.folder / PATH
    held = store.index.meta("manifest")
    if held is not None and path.is_file():
        written, content = held.split(":")
        if content == digest.hexdigest() and written == sha256(path.read_bytes()).hexdigest():
            return
    written = store.write_loose(PATH, (piece.encode() for piece in _with_clock(clock, pieces())))
    store.index.set_meta("manifest", f"{written}:{digest.hexdigest()}")


def write(store: Store, manifest: Mapping[str, Any]) -> None:
    """Write a manifest that was read."""
    header = {key: value for key, value in manifest.items() if key not in (*_LISTS, "clock")}
    authorities, cases = ([as_json(one) for one in manifest[name]] for name in _LISTS)
    write_body(store, manifest["clock"], lambda: body(header, authorities, cases))


def _with_clock(clock: str, pieces: Iterable[str]) -> Iterator[str]:
    yield as_json({"clock": clock})[:-1] + ","
    yield from pieces


def _lines(records: Iterable[str]) -> Iterator[str]:
    separator = "\n"
    for record in records:
        yield separator + record
        separator = ",\n"


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
    def _uploads(self) -> UploadVerdicts:
        folder, published = self.store.folder, dict[str, bytes]()
        for entity in self.plan.authorities:
            issuer = crl_issuer(entity)
            if issuer is not None and self.store.index.crl(entity.id) is not None:
                published |= crl.published_crls(folder, issuer)
        return UploadVerdicts(self.plan, folder, folder / TRUST, published)

    def write(self) -> None:
        """Write manifest.json; it stays untouched where only its clock would differ."""
        write_body(self.store, _iso(int(self.plan.clock.timestamp())), self._body)

    def _body(self) -> Iterator[str]:
        header = {
            "format": "pkigen-manifest",
            "version": 1,
            "environment": self.plan.name,
            "base_url": self.plan.base_url,
            "requirements": list(self.plan.requirements),
            "seeded": self.seeded,
            "trust": TRUST,
            "serving": [
                {"of": one.of, "url": one.url, "fault": one.fault, "arguments": dict(one.arguments)}
                for one in self.plan.serving
            ],
        }
        states = {entity.id: entity for entity in self.plan.authorities}
        authorities = self._records(list(states), lambda record: self._authority(states[record.id]))
        return body(header, authorities, self._records(self.certificates, self._verdict))

    def _records(self, ids: Sequence[str], further: Callable[[Record], dict[str, Any]]) -> Iterator[str]:
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            records = self.store.index.records(chunk)
            for found in map(records.get, chunk):
                if found is not None:
                    yield found.record[:-1] + "," + as_json(further(found))[1:]

    def _authority(self, entity: Entity) -> dict[str, Any]:
        revoked = self._revocation(entity.id)
        told = {"revoked": revoked, "trusted": entity.id in self.trusted, "crl": self._crl(entity)}
        return {**told, "ocsp": _responding(entity)}

    def _verdict(self, record: Record) -> dict[str, Any]:
        """What is to be expected at the build's clock of who trusts what the case is for."""
        revoked = self._revocation(record.id)
        fault = self._faults.get(record.id)
        if fault is not None:
            uploads = self._uploads.verdicts(json.loads(record.record)) if self.plan.sets else []
            # What refuses the sound one refuses its copies as well.
            trusted = json.loads(record.record)["trust"]
            alone = record.self_signed and not trusted and fault.expected != "reject"
            if fault.stage is not None and not alone:
                verdict = {"expected": fault.expected, "stage": fault.stage, "reason": fault.says}
                if record.id in self._at_their_end:
                    verdict["at"] = _iso(record.not_after)
                return {"revoked": revoked, "verdict": verdict, **self._answer(record), "uploads": uploads}
            return {**self._sound(record, revoked), **self._answer(record), "uploads": uploads}
        return self._sound(record, revoked)

    def _sound(self, record: Record, revoked: dict[str, str] | None) -> dict[str, Any]:
        """What is to be expected of a case that no fault breaks."""
        path = json.loads(record.record)["path"] if self._fallen else ()
        not_before, not_after = (
            datetime.fromtimestamp(instant, UTC) for instant in (record.not_before, record.not_after)
        )
        verdict = verdict_without_fault(
            self_signed=record.self_signed,
            orphan=record.id in self.orphans,
            times=(not_before, not_after),
            now=self.plan.clock,
            revoked=revoked,
            fallen=next((name for name in path if name in self._fallen), None),
        )
        return {"revoked": revoked, "verdict": verdict}

    @cached_property
    def _fallen(self) -> frozenset[str]:
        """The authorities that are revoked, by name."""
        found = (entity for entity in self.plan.authorities if entity.id in self.revoked)
        return frozenset(entity.name for entity in found if self._revocation(entity.id) is not None)

    def _answer(self, record: Record) -> dict[str, Any]:
        """What the manifest says of an OCSP answer, if there is one."""
        state, asked = self.store.index.crl(record.id), self._asked.get(record.id)
        if state is None or asked is None:
            return {}
        return {"ocsp": presigned.manifest_entry(asked, state)}

    @cached_property
    def _asked(self) -> dict[str, OcspPlan]:
        """The OCSP answers that are planned, by the id of the entity."""
        return {entity.id: entity.ocsp for entity in self.plan.cases if entity.ocsp is not None}

    def _revocation(self, entity_id: str) -> dict[str, str] | None:
        """The revocation of an entity's present main certificate, if it is revoked."""
        if entity_id not in self.revoked:
            return None
        entry = self.store.index.get([entity_id])[entity_id]
        return revocation_entry(self.store.index.revocations_of(entity_id), entry.serials[0])

    def _crl(self, entity: Entity) -> dict[str, Any] | None:
        state, issuer = self.store.index.crl(entity.id), crl_issuer(entity)
        return None if state is None or issuer is None else crl_entry(issuer, state)


def _responding(entity: Entity) -> dict[str, Any] | None:
    """Who answers OCSP requests for an authority; None where the profile does not say."""
    found = entity.responding
    if found is None:
        return None
    by = "name" if found.by_name else "key"
    return {"url": found.url, "responder": found.responder or None, "by": by, "valid": found.lifetime}


def _iso(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"
