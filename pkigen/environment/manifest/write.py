"""Writes manifest.json: one line per authority and case.

Most of a line comes from the index, which stores it as JSON: a build of ten thousand certificates that
changes one of them need not read the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from pkigen.environment.crl.publish import published_crls
from pkigen.environment.manifest import schema
from pkigen.environment.manifest.enrolled import EnrolledLines
from pkigen.environment.manifest.entries import (
    TRUST,
    crl_entry,
    earlier_certificates,
    fault_entry,
    ocsp_entry,
    path_tests,
    responder_entry,
    revocation_entry,
)
from pkigen.environment.manifest.fleets import fleet_lines
from pkigen.environment.manifest.verdicts import UploadVerdicts, verdict_without_fault
from pkigen.environment.published.publishers import crl_issuer
from pkigen.model import Entity, Fault, OcspPlan, Role
from pkigen.plan import Plan
from pkigen.plan.path_expectations import PathDefect
from pkigen.store import Record, Store

if TYPE_CHECKING:
    from pkigen.requirements import RequirementSet

PATH = "manifest.json"
REQUESTED = '\n],"enrolled":['
"""What precedes the requested certificates; no string contains a line feed."""
_CHUNK = 256


def rewrite(store: Store, manifest: schema.Manifest) -> None:
    """Write a manifest that was read and changed."""
    revoked = {authority.name for authority in manifest.authorities if authority.revoked is not None}
    enrolled = EnrolledLines().lines(store, manifest.clock, revoked)
    write_document(store, manifest.clock, with_enrolled(document_head(manifest), enrolled))


def write_document(store: Store, clock: datetime, body: Iterable[str]) -> None:
    """Write the manifest, unless only its clock would change: watchers use its mtime as a cache key."""
    content, path = sha256(), store.folder / PATH
    recorded, _, recorded_content = (store.index.meta("manifest") or "").partition(":")

    def document() -> Iterator[bytes]:
        yield schema.Manifest.partial(clock=clock).as_json()[:-1].encode() + b","
        for piece in body:
            data = piece.encode()
            content.update(data)
            yield data

    def is_unchanged() -> bool:
        if recorded_content != content.hexdigest() or not path.is_file():
            return False
        return recorded == sha256(path.read_bytes()).hexdigest()

    file_digest = store.write_unless(PATH, document(), is_unchanged)
    if file_digest is not None:
        store.index.set_meta("manifest", f"{file_digest}:{content.hexdigest()}")


def document_head(manifest: schema.Manifest) -> Iterator[str]:
    """Yield the document of a manifest up to the requested certificates, without its clock."""
    return _head(
        manifest,
        (authority.as_json() for authority in manifest.authorities),
        (case.as_json() for case in manifest.cases),
        [fleet.as_json() for fleet in manifest.fleets],
    )


def with_enrolled(head: Iterable[str], enrolled: Collection[str]) -> Iterator[str]:
    """Yield a document with the objects of requested certificates."""
    yield from head
    if enrolled:
        yield REQUESTED
        yield "\n" + ",\n".join(enrolled)
    yield "\n]}\n"


def _head(
    header: schema.Manifest, authorities: Iterable[str], cases: Iterable[str], fleets: Sequence[str]
) -> Iterator[str]:
    """Yield the document without its first brace and its clock, up to the requested certificates."""
    excluded = {"clock", "authorities", "cases", "fleets", "enrolled"}
    yield header.model_dump_json(exclude_unset=True, exclude=excluded)[1:-1]
    yield ',"authorities":['
    yield from _lines(authorities)
    yield '\n],"cases":['
    yield from _lines(cases)
    if fleets:
        yield '\n],"fleets":['
        yield from _lines(fleets)


def _lines(objects: Iterable[str]) -> Iterator[str]:
    separator = "\n"
    for text in objects:
        yield separator + text
        separator = ",\n"


@dataclass(frozen=True)
class ManifestWriter:
    """Writes the manifest of a plan whose entities are in the store.

    ``certificates`` are the ids of the end entities in the profile's order, ``trusted`` those of the
    authorities in trust.pem, ``revoked`` those of entities with a recorded revocation, and ``orphans``
    those of certificates that were not reissued with their issuer. ``defects`` are those of paths, by end
    entity.
    """

    plan: Plan
    certificates: Sequence[str]
    store: Store
    trusted: frozenset[str]
    seeded: bool
    revoked: Set[str]
    orphans: frozenset[str]
    defects: Mapping[str, PathDefect]

    def write(self) -> None:
        """Write manifest.json, unless only its clock would change."""
        write_document(self.store, self.plan.clock, self._pieces())

    def _pieces(self) -> Iterator[str]:
        header = schema.Manifest.partial(
            format=schema.FORMAT,
            version=schema.VERSION,
            environment=self.plan.name,
            base_url=self.plan.base_url,
            requirements=list(self.plan.requirements),
            seeded=self.seeded,
            trust=TRUST,
            serving=[
                schema.ServiceFault.model_construct(
                    of=one.of, url=one.url, fault=one.fault, arguments=dict(one.arguments)
                )
                for one in self.plan.serving
            ],
            **path_tests(self.plan.path_tests),
        )
        authorities = {entity.id: entity for entity in self.plan.authorities}
        head = _head(
            header,
            self._lines_of(list(authorities), lambda record: self._authority(authorities[record.id], record)),
            self._lines_of(self.certificates, self._case),
            list(fleet_lines(self.plan.fleets, self.store)),
        )
        enrolled = EnrolledLines().lines(self.store, self.plan.clock, self._revoked_authorities)
        return with_enrolled(head, enrolled)

    def _lines_of(self, ids: Sequence[str], rest: Callable[[Record], str]) -> Iterator[str]:
        """Join the stored part of each object with ``rest``; an entity that --only skipped has no record."""
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            records = self.store.index.records(chunk)
            for record in map(records.get, chunk):
                if record is not None:
                    yield self._stored_part(record)[:-1] + "," + rest(record)[1:]

    def _stored_part(self, record: Record) -> str:
        """Return the stored part of an object, with the fault as planned.

        What a case is to violate can change without its files: the requirement set declares it.
        """
        fault = self._faults.get(record.id)
        if fault is None:
            return record.record
        stored, planned = json.loads(record.record), json.loads(fault_entry(fault).as_json())
        before = stored.get("fault")
        # --only can exclude an entity that was issued without this fault.
        if before is None or before == planned or before["id"] != planned["id"]:
            return record.record
        return json.dumps({**stored, "fault": planned}, ensure_ascii=False, separators=(",", ":"))

    def _authority(self, entity: Entity, record: Record) -> str:
        state, issuer = self.store.index.crl(entity.id), crl_issuer(entity)
        return schema.Authority.partial(
            revoked=self._revocation(entity.id),
            trusted=entity.id in self.trusted,
            crl=None if state is None or issuer is None else crl_entry(issuer, state),
            ocsp=responder_entry(entity),
            **self._earlier_certificates(record),
            **self._requirements(entity.id),
        ).as_json()

    def _requirements(self, entity_id: str) -> dict[str, list[str]]:
        """Return the field with the sets of an entity itself, if it has any."""
        own = self.plan.own_sets.get(entity_id)
        return {"requirements": list(own)} if own else {}

    def _case(self, record: Record) -> str:
        revoked = self._revocation(record.id)
        fault, earlier = self._faults.get(record.id), self._earlier_certificates(record)
        if fault is None:
            verdict = self._verdict_without_fault(record, revoked)
            requirements = self._requirements(record.id)
            if revoked is None and not earlier and not requirements:
                return _plain_case(verdict.expected, verdict.stage, verdict.reason)
            return schema.Case.partial(revoked=revoked, verdict=verdict, **earlier, **requirements).as_json()
        stored = _stored(record)
        state, plan = self.store.index.crl(record.id), self._ocsp_plans.get(record.id)
        ocsp = {} if state is None or plan is None else {"ocsp": ocsp_entry(plan, state)}
        base = f"{Role.CERTIFICATE}/{fault.base}"
        return schema.Case.partial(
            revoked=revoked,
            verdict=self._verdict(record, stored, fault, revoked),
            **ocsp,
            uploads=self._uploads.verdicts(stored.files, self._appliances(base, fault)),
            **earlier,
            **self._requirements(base),
        ).as_json()

    def _appliances(self, base: str, fault: Fault) -> list[RequirementSet]:
        """Return the sets that a case is uploaded to: all but those of other roles and of authorities."""
        violated = () if fault.authority else (fault.against,)
        names = {*violated, *self.plan.own_sets.get(base, {}).values()}
        return [one for one in self.plan.sets if one.role is None or one.name in names]

    def _verdict(
        self, record: Record, stored: schema.Case, fault: Fault, revoked: schema.Revoked | None
    ) -> schema.Verdict:
        # Without trust anchors a self-signed certificate is rejected, whether or not its fault is.
        untrusted = (record.self_signed and not stored.trust) or record.id in self.defects
        if fault.stage is None or (untrusted and fault.expected != "reject"):
            return self._verdict_without_fault(record, revoked)
        at = {"at": _utc(record.not_after)} if record.id in self._ending_at_clock else {}
        return schema.Verdict.partial(expected=fault.expected, stage=fault.stage, reason=fault.says, **at)

    def _verdict_without_fault(self, record: Record, revoked: schema.Revoked | None) -> schema.Verdict:
        path = _stored(record).path if self._revoked_authorities else ()
        return verdict_without_fault(
            self_signed=record.self_signed,
            orphan=record.id in self.orphans,
            times=(_utc(record.not_before), _utc(record.not_after)),
            now=self.plan.clock,
            defect=self.defects.get(record.id),
            revocation_reason=None if revoked is None else revoked.reason,
            revoked_ancestor=next((name for name in path if name in self._revoked_authorities), None),
            rejecting_test=self._rejecting_tests.get(record.id.partition("/")[2]),
        )

    @cached_property
    def _rejecting_tests(self) -> dict[str, str]:
        return self.plan.rejecting_tests()

    def _revocation(self, entity_id: str) -> schema.Revoked | None:
        """Return the revocation of an entity's current certificate, as the CRL has it."""
        if entity_id not in self.revoked:
            return None
        entry = self.store.index.entry(entity_id)
        return revocation_entry(self.store.index.revocations_of(entity_id), entry.serials[0])

    def _earlier_certificates(self, record: Record) -> dict[str, list[schema.EarlierCertificate]]:
        """Return the field of an entity's former certificates, if it had any."""
        serials = self._earlier_serials.get(record.id, ())
        earlier = [pair for pair in serials if pair not in record.certificates]
        if not earlier:
            return {}
        revocations = self.store.index.revocations_of(record.id) if record.id in self.revoked else ()
        return {"earlier_certificates": earlier_certificates(record.id, earlier, revocations)}

    @cached_property
    def _earlier_serials(self) -> dict[str, list[tuple[str, int]]]:
        return self.store.index.earlier_serials()

    @cached_property
    def _faults(self) -> dict[str, Fault]:
        """The faults of cases, and of the authorities copied for them."""
        entities = (*self.plan.authorities, *self.plan.cases)
        return {entity.id: entity.fault for entity in entities if entity.fault is not None}

    @cached_property
    def _ocsp_plans(self) -> dict[str, OcspPlan]:
        return {entity.id: entity.ocsp for entity in self.plan.cases if entity.ocsp is not None}

    @cached_property
    def _ending_at_clock(self) -> frozenset[str]:
        """The cases that end in the second of the build clock; a second later their verdict differs."""
        clock = self.plan.clock
        return frozenset(case.id for case in self.plan.cases if case.certificates[0].not_after == clock)

    @cached_property
    def _revoked_authorities(self) -> frozenset[str]:
        """The names of the revoked authorities."""
        authorities = (entity for entity in self.plan.authorities if entity.id in self.revoked)
        return frozenset(entity.name for entity in authorities if self._revocation(entity.id) is not None)

    @cached_property
    def _uploads(self) -> UploadVerdicts:
        folder, published = self.store.folder, dict[str, bytes]()
        for entity in self.plan.authorities:
            issuer = crl_issuer(entity)
            if issuer is not None and self.store.index.crl(entity.id) is not None:
                published |= published_crls(folder, issuer)
        return UploadVerdicts(self.plan, folder, folder / TRUST, published)


@lru_cache(maxsize=64)
def _plain_case(expected: str, stage: str | None, reason: str | None) -> str:
    """Return the remaining fields of a certificate without a fault, which most of a fleet share."""
    verdict = schema.Verdict.partial(expected=expected, stage=stage, reason=reason)
    return schema.Case.partial(revoked=None, verdict=verdict).as_json()


def _stored(record: Record) -> schema.Case:
    """Read the stored part of a case, without validation: pkigen wrote it."""
    return schema.Case.partial(**json.loads(record.record))


def _utc(instant: int) -> datetime:
    return datetime.fromtimestamp(instant, UTC)
