"""The end of a build: CRLs, what left the profile, trust anchors, the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pkigen.environment import crl
from pkigen.environment.build.options import (
    Action,
    BuildOptions,
    Change,
    CrlChange,
)
from pkigen.environment.build.session import Session
from pkigen.environment.build.state import BuildState
from pkigen.environment.manifest.write import TRUST, ManifestWriter
from pkigen.environment.ocsp import presigned
from pkigen.environment.ocsp.builder import OcspResponseBuilder
from pkigen.environment.published import publishers, stored_keys
from pkigen.formats import pem
from pkigen.issue import Signer
from pkigen.keys import kind_of
from pkigen.model import Entity, Role
from pkigen.x509 import Certificate

_SERIAL_OCTETS = 16


@dataclass(frozen=True, slots=True)
class Finalizer:
    """Does what can only be done once every entity stands."""

    session: Session
    assembly: BuildState
    options: BuildOptions

    def close(self) -> None:
        """Publish the CRLs that are due, settle what left the profile, write what sums it up."""
        plan, store = self.session.plan, self.assembly.store
        publishers.save_publishers(store, (*plan.authorities, *plan.cases))
        issuers = publishers.crl_issuers_in(plan.authorities)
        for entity in plan.authorities:
            if entity.id in issuers:
                self._publish_crl(entity, issuers)
        for entity in self.session.plan.cases:
            if entity.ocsp is not None:
                self._publish_answer(entity)
        self._settle_left()
        trusted = self._write_trust()
        self._tell_seed()
        self._tell_passed()
        self._write_manifest(trusted)

    def _publish_crl(self, entity: Entity, issuers: Mapping[str, publishers.CrlIssuer]) -> None:
        store, issuer, others = self.assembly.store, issuers[entity.id], tuple(issuers.values())
        fingerprint = self.session.decider.fingerprints[entity.id]
        digest = crl.content_digest(issuer, fingerprint, crl.listed_revocations(store, issuer, others))
        state = store.index.crl(entity.id)
        damaged = [found.path for found in store.damaged_files(state.files)] if state else []
        reasons = crl.publication_reasons(issuer, state, digest, damaged, self.session.plan.clock)
        if reasons:
            held = self._issuer(entity)
            entropy = self.session.entropy if self.options.seed is not None else None
            publisher = crl.CrlPublisher(store, self.session.plan.clock, entropy, others)
            certificate = self.assembly.workshop.authorities[entity.id].certificate
            publisher.publish(issuer, certificate, held, digest, anew=crl.needs_new_base(reasons))
            self.assembly.summary.crls.append(CrlChange(entity.name, reasons))

    def _publish_answer(self, entity: Entity) -> None:
        """The OCSP answer about a case, if it is due; of one that --only passed over there is none."""
        store, clock = self.assembly.store, self.session.plan.clock
        entry = store.index.get([entity.id]).get(entity.id)
        fingerprint = self.session.decider.fingerprints.get(entity.certificates[0].issuer_id)
        answered = publishers.presigned_subject(entity)
        if entry is None or fingerprint is None or answered is None:
            return
        (_, serial), *_ = entry.serials
        digest = presigned.content_digest(answered, fingerprint, serial)
        state = store.index.crl(entity.id)
        damaged = [found.path for found in store.damaged_files(state.files)] if state else []
        if presigned.is_due(answered.ocsp, state, digest, damaged, clock):
            self.assembly.load_authorities()
            presigned.publish(store, answered, serial, digest, self._maker(answered))

    def _maker(self, answered: publishers.PresignedSubject) -> OcspResponseBuilder:
        """Who signs the answer about a case, as its issuing CA."""
        workshop = self.assembly.workshop
        return OcspResponseBuilder(
            workshop.signer(answered.issuer),
            Certificate(workshop.authorities[answered.issuer].certificate),
            workshop.stranger,
            workshop.entropy.read(_SERIAL_OCTETS, "responder", answered.id),
            self.session.plan.clock,
            self.session.entropy if self.options.seed is not None else None,
        )

    def _issuer(self, entity: Entity) -> Signer:
        """Who signs an authority's CRL: the authority, or a stranger with its key identifier."""
        self.assembly.load_authorities()
        workshop = self.assembly.workshop
        own = workshop.signer(entity.id)
        if entity.crl is None or not entity.crl.stranger:
            return own
        return replace(own, key=workshop.stranger(entity.crl.stranger, kind_of(own.key).name))

    def _settle_left(self) -> None:
        """Remove what left the profile when that was asked for, name it when it was not."""
        summary, store = self.assembly.summary, self.assembly.store
        for entry in list(self.session.survey.left()):
            if not self.options.prune:
                summary.add(Change(entry.id, Action.LEFT, ("not in the profile; --prune removes it",)))
                continue
            summary.add(Change(entry.id, Action.PRUNE, ("not in the profile",)))
            summary.notes += [
                f"{path} is not pkigen's and was left where it is" for path in store.remove(entry)
            ]

    def _write_trust(self) -> frozenset[str]:
        """Write trust.pem; the ids of the authorities whose certificate is in it."""
        folder, anchors, trusted = self.assembly.store.folder, list[bytes](), set[str]()
        for entity in self.session.plan.authorities:
            held = stored_keys.read_certificates(folder, entity)[0]
            above = entity.brought.chain if entity.brought else ()
            anchors += [found for found in above if Certificate(found).is_self_issued]
            if _is_anchor(entity):
                anchors.append(held)
                trusted.add(entity.id)
        text = b"".join(pem.encode("CERTIFICATE", anchor) for anchor in dict.fromkeys(anchors))
        self.assembly.store.write_if_changed(TRUST, text)
        return frozenset(trusted)

    def _write_manifest(self, trusted: frozenset[str]) -> None:
        plan, store = self.session.plan, self.assembly.store
        certificates = [found for found in self.session.survey.seen if found.startswith(Role.CERTIFICATE)]
        revoked = frozenset(
            found.entity_id for entity in plan.authorities for found in store.index.revocations(entity.id)
        )
        seeded = store.index.meta("seeded") is not None
        orphans = frozenset(self.session.decider.orphans)
        if orphans:
            self.assembly.summary.notes.append(
                f"{len(orphans)} certificates that --only passed over have an issuer that is no longer "
                "there; build without --only to issue them anew"
            )
        ManifestWriter(plan, certificates, store, trusted, seeded, revoked, orphans).write()

    def _tell_passed(self) -> None:
        """Name the negative cases that could not be made."""
        self.assembly.summary.notes += [
            f"{passed.name} was not made: {passed.reason}" for passed in self.session.plan.passed
        ]

    def _tell_seed(self) -> None:
        if self.options.seed is not None:
            self.assembly.store.index.set_meta("seeded", "yes")
            self.assembly.summary.notes.append(
                "made from --seed: whoever knows the seed knows every key; the clock stood at "
                f"{self.session.plan.clock:%Y-%m-%dT%H:%M:%SZ}"
            )


def _is_anchor(entity: Entity) -> bool:
    """Whether clients are to trust an authority: told by its plan, since what a fault made need not parse."""
    if entity.brought is not None:
        return Certificate(entity.brought.certificate).is_self_issued
    return entity.trusted and entity.certificates[0].issuer_id == entity.id
