"""The state of a running build, and how issued entities get into the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from pkigen.environment.build.diff import Decision, writes_files
from pkigen.environment.build.due_dates import DueDates
from pkigen.environment.build.issuance import IssuanceTask, IssuanceWorker, IssuedEntity, IssuingAuthority
from pkigen.environment.build.options import Action, Summary
from pkigen.environment.build.path_defects import PathDefects
from pkigen.environment.build.reissue_reasons import (
    GIVEN,
    IMPORTED,
    ReissueDecider,
    issuer_fingerprints,
    spec_digest,
)
from pkigen.environment.build.replacements import IssuerLifetimes
from pkigen.environment.crl.entries import revocation_changes
from pkigen.environment.published.stored_keys import (
    read_certificates,
    read_key,
    subject_key_identifier,
)
from pkigen.errors import EnvironmentFailure
from pkigen.model import Entity, File
from pkigen.store import Entry, Publication, Revoked, Store
from pkigen.x509 import Certificate

_RESERVED_AT_ONCE = 512


@dataclass
class BuildState:
    """One running build.

    ``pending`` are the entities that are being issued and are not committed yet, ``defects`` those of the
    paths of end entities, ``due`` the times at which a later build finds something to do.
    """

    store: Store
    decider: ReissueDecider
    worker: IssuanceWorker
    authorities: dict[str, Entity]
    key_source: str
    defects: PathDefects
    due: DueDates
    summary: Summary = field(default_factory=Summary)
    lifetimes: IssuerLifetimes = field(default_factory=IssuerLifetimes)
    pending: dict[str, tuple[Entity, Decision]] = field(default_factory=dict)

    def tasks(self, decisions: Iterable[Decision]) -> Iterator[IssuanceTask]:
        """Return the tasks for the entities to issue, with reserved serial numbers; count all others."""
        remaining = iter(decisions)
        while chunk := list(islice(remaining, _RESERVED_AT_ONCE)):
            tasks, carried = [], list[Revoked]()
            for decision in chunk:
                self.summary.add(decision.change)
                self.lifetimes.add(decision)
                self.due.add_entity(decision.entity)
                stays = decision.entity.id in self.decider.fingerprints
                self.defects.record(decision, stays=stays)
                if writes_files(decision.change):
                    task = self._task(decision)
                    self.pending[decision.entity.id] = task.entity, decision
                    tasks.append(task)
                    if task.certificates is None:
                        carried += self.decider.revocations.carried(decision.entity, decision.entry)
                elif decision.entry is not None:
                    self._record_revocation(decision.entity, decision.entry.serials)
            self._reserve_serials(tasks)
            # Before the certificates exist: a crash must not leave one of them valid.
            if carried:
                self.store.index.set_revocations(carried)
            yield from tasks

    def publish(self, issued: Sequence[IssuedEntity]) -> None:
        """Commit issued entities to the store, each of them atomically."""
        self.store.publish([self._publication(one) for one in issued])
        for one in issued:
            entity, _ = self.pending.pop(one.id)
            self._record_revocation(entity, _serials(entity))
            if one.issued is not None:
                certificate = one.issued.certificates[0]
                self._add_authority(one.issued.entity, certificate, one.issued.key)
                self.decider.fingerprints[one.id] = dict(one.staged.files)[f"{entity.name}.crt"]

    def load_authorities(self) -> None:
        """Load the authorities that stay as they are, when others need them to be issued."""
        for entity in self.authorities.values():
            if entity.id in self.decider.fingerprints and entity.id not in self.worker.authorities:
                imported, folder = entity.imported, self.store.folder
                certificate = read_certificates(folder, entity)[0]
                key = imported.key if imported else read_key(folder, entity)
                self._add_authority(entity, certificate, key)

    def _task(self, decision: Decision) -> IssuanceTask:
        entity, folder = decision.entity, self.store.folder
        if entity.imported is not None or decision.change.new_key or entity.output.alterations:
            return IssuanceTask(entity, key_number=self.decider.revocations.key_number(entity))
        key = entity.given.pkcs8 if entity.given else read_key(folder, entity)
        if decision.change.action is Action.REWRITE:
            certificates = read_certificates(folder, entity)
            return IssuanceTask(_as_issued(entity, certificates), key, certificates)
        return IssuanceTask(entity, key)

    def _reserve_serials(self, tasks: Sequence[IssuanceTask]) -> None:
        """Record serial numbers before anything is signed: a crash can waste one, but never repeat one."""
        used = self.store.index.reserve(
            (plan.issuer_id, plan.serial, task.entity.id)
            for task in tasks
            if task.certificates is None
            for plan in task.entity.certificates
            if not self._has_fault(plan.issuer_id)
        )
        for issuer, serial in used:
            raise EnvironmentFailure(
                f"{issuer} already used the serial number {serial:x} for another; change 'serial' "
                "if the profile states it, or else run the build again"
            )

    def _has_fault(self, issuer: str) -> bool:
        """Return whether an authority is a copy for one case, whose fault may be a repeated serial."""
        return issuer in self.authorities and self.authorities[issuer].fault is not None

    def _publication(self, issued: IssuedEntity) -> Publication:
        entity, decision = self.pending[issued.id]
        loose: tuple[File, ...] = ()
        if issued.issued is not None:
            loose = (File(f"www/ca/{entity.name}.crt", issued.issued.certificates[0]),)
        not_before, not_after = _validity(entity)
        entry = decision.entry
        key_source = entry.key_source if entry and not decision.change.new_key else self.key_source
        return Publication(
            Entry(
                id=entity.id,
                spec=spec_digest(entity),
                output=decision.output,
                issuers=issuer_fingerprints(entity, self.decider.fingerprints),
                key_kind=entity.key,
                key_source=IMPORTED if entity.imported else GIVEN if entity.given else key_source,
                spki=issued.spki,
                serials=_serials(entity),
                not_before=int(not_before.timestamp()),
                not_after=int(not_after.timestamp()),
                record=issued.record,
            ),
            issued.staged,
            loose,
        )

    def _add_authority(self, entity: Entity, certificate: bytes, key: bytes | None) -> None:
        chain = entity.imported.chain if entity.imported else ()
        identifier = subject_key_identifier(certificate)
        self.worker.authorities[entity.id] = IssuingAuthority(certificate, chain, key, identifier)

    def _record_revocation(self, entity: Entity, serials: Sequence[tuple[str, int]]) -> None:
        if entity.revocation is None and entity.id not in self.decider.revocations.revoked:
            return
        index = self.store.index
        added, removed = revocation_changes(entity, serials, index.revocations_of(entity.id))
        index.set_revocations(added)
        index.clear_revocations(removed)


def _serials(entity: Entity) -> tuple[tuple[str, int], ...]:
    return tuple((plan.issuer_id, plan.serial) for plan in entity.certificates)


def _validity(entity: Entity) -> tuple[datetime, datetime]:
    if entity.imported is not None:
        imported = Certificate(entity.imported.certificate)
        return imported.not_before, imported.not_after
    return entity.certificates[0].not_before, entity.certificates[0].not_after


def _as_issued(entity: Entity, certificates: Sequence[bytes]) -> Entity:
    """Replace the planned serial numbers and times of an entity by those of its certificates."""
    plans = []
    for plan, data in zip(entity.certificates, certificates, strict=True):
        certificate = Certificate(data)
        plans.append(
            replace(
                plan,
                serial=certificate.serial,
                not_before=certificate.not_before,
                not_after=certificate.not_after,
            )
        )
    return replace(entity, certificates=tuple(plans))
