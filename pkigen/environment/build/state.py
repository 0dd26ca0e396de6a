"""What a build knows while it runs, and how finished entities get into the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from pkigen.environment import crl
from pkigen.environment.build.diff import Decision, writes_files
from pkigen.environment.build.issuance import (
    IssuanceTask,
    IssuanceWorker,
    IssuedEntity,
    IssuingAuthority,
)
from pkigen.environment.build.options import Action, Summary
from pkigen.environment.build.reissue_reasons import (
    IMPORTED,
    ReissueDecider,
    issuer_fingerprints,
    spec_digest,
)
from pkigen.environment.published import stored_keys
from pkigen.errors import EnvironmentFailure
from pkigen.model import Entity, File, Issued
from pkigen.store import Entry, Publication, Store
from pkigen.x509 import Certificate, Malformed

_RESERVED_AT_ONCE = 512


@dataclass
class BuildState:
    """One build under way.

    ``under_way`` holds what is being made and is not published yet; ``revoked`` the ids of
    entities with a revocation on record.
    """

    store: Store
    decider: ReissueDecider
    workshop: IssuanceWorker
    authorities: dict[str, Entity]
    key_source: str
    summary: Summary = field(default_factory=Summary)
    under_way: dict[str, tuple[Entity, Decision]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

    def tasks(self, decided: Iterable[Decision]) -> Iterator[IssuanceTask]:
        """The entities that are to be made, their serials reserved; all others are counted."""
        remaining = iter(decided)
        while chunk := list(islice(remaining, _RESERVED_AT_ONCE)):
            tasks = []
            for found in chunk:
                self.summary.add(found.change)
                if writes_files(found.change):
                    task = self._task(found)
                    self.under_way[found.entity.id] = task.entity, found
                    tasks.append(task)
                elif found.entry is not None:
                    self._record_revocation(found.entity, found.entry.serials)
            yield from self._reserved(tasks)

    def publish(self, done: Sequence[IssuedEntity]) -> None:
        """Put finished entities in place, each at once or not at all."""
        self.store.publish([self._publication(found) for found in done])
        for found in done:
            entity = self.under_way.pop(found.id)[0]
            self._record_revocation(entity, _serials(entity))
            if found.issued is not None:
                self._register(found, found.issued)

    def load_authorities(self) -> None:
        """Read the authorities that stay as they are: others are about to need them."""
        for entity in self.authorities.values():
            if entity.id in self.decider.fingerprints and entity.id not in self.workshop.authorities:
                held = entity.brought
                certificate = stored_keys.read_certificates(self.store.folder, entity)[0]
                key = held.key if held else stored_keys.read_key(self.store.folder, entity)
                self._add_authority(entity, certificate, key)

    def _task(self, found: Decision) -> IssuanceTask:
        entity, folder = found.entity, self.store.folder
        if entity.brought is not None or found.change.new_key or entity.output.alterations:
            return IssuanceTask(entity)
        key = stored_keys.read_key(folder, entity)
        if found.change.action is Action.REWRITE:
            kept = stored_keys.read_certificates(folder, entity)
            return IssuanceTask(_as_issued(entity, kept), key, kept)
        return IssuanceTask(entity, key)

    def _reserved(self, tasks: list[IssuanceTask]) -> list[IssuanceTask]:
        """The tasks, once each serial is on record as used: before anything is signed with it."""
        taken = self.store.index.reserve(
            (plan.issuer_id, plan.serial, task.entity.id)
            for task in tasks
            if task.certificates is None
            for plan in task.entity.certificates
            if not self._of_a_case(plan.issuer_id)
        )
        for issuer, number in taken:
            raise EnvironmentFailure(f"{issuer} has used serial {number:x} before; run the build again")
        return tasks

    def _of_a_case(self, issuer: str) -> bool:
        """Whether an authority is a copy for one case: what serials it uses is up to the fault."""
        return issuer in self.authorities and self.authorities[issuer].fault is not None

    def _publication(self, done: IssuedEntity) -> Publication:
        entity, found = self.under_way[done.id]
        loose: tuple[File, ...] = ()
        if done.issued is not None:
            loose = (File(f"www/ca/{entity.name}.crt", done.issued.certificates[0]),)
        not_before, not_after = _times(entity)
        source = found.entry.key_source if found.entry and not found.change.new_key else self.key_source
        return Publication(
            Entry(
                id=entity.id,
                spec=spec_digest(entity),
                output=found.output,
                issuers=issuer_fingerprints(entity, self.decider.fingerprints),
                key_kind=entity.key,
                key_source=IMPORTED if entity.brought else source,
                spki=done.spki,
                serials=_serials(entity),
                not_before=int(not_before.timestamp()),
                not_after=int(not_after.timestamp()),
                record=done.record,
            ),
            done.staged,
            loose,
        )

    def _register(self, done: IssuedEntity, issued: Issued) -> None:
        entity = issued.entity
        self._add_authority(entity, issued.certificates[0], issued.key)
        self.decider.fingerprints[entity.id] = dict(done.staged.files)[f"{entity.name}.crt"]

    def _add_authority(self, entity: Entity, certificate: bytes, key: bytes | None) -> None:
        above = entity.brought.chain if entity.brought else ()
        try:
            identifier = Certificate(certificate).extensions.subject_key_identifier
        except Malformed:
            identifier = None
        self.workshop.authorities[entity.id] = IssuingAuthority(certificate, above, key, identifier)

    def _record_revocation(self, entity: Entity, serials: Sequence[tuple[str, int]]) -> None:
        if entity.revocation is None and entity.id not in self.revoked:
            return
        index = self.store.index
        added, taken_back = crl.revocation_changes(entity, serials, index.revocations_of(entity.id))
        index.set_revocations(added)
        index.clear_revocations(taken_back)


def _serials(entity: Entity) -> tuple[tuple[str, int], ...]:
    return tuple((plan.issuer_id, plan.serial) for plan in entity.certificates)


def _times(entity: Entity) -> tuple[datetime, datetime]:
    if entity.brought is not None:
        held = Certificate(entity.brought.certificate)
        return held.not_before, held.not_after
    return entity.certificates[0].not_before, entity.certificates[0].not_after


def _as_issued(entity: Entity, certificates: Sequence[bytes]) -> Entity:
    """The entity with the serials and times that its certificates have, not those just planned."""
    plans = []
    for plan, data in zip(entity.certificates, certificates, strict=True):
        held = Certificate(data)
        not_before, not_after = held.not_before, held.not_after
        plans.append(replace(plan, serial=held.serial, not_before=not_before, not_after=not_after))
    return replace(entity, certificates=tuple(plans))
