"""Finalizes a build after all entities are in place: CRLs, OCSP responses, pruning, trust.pem, manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pkigen.environment.build.options import Action, BuildOptions, Change, CrlChange
from pkigen.environment.build.reissue_reasons import NOT_IN_PROFILE
from pkigen.environment.build.replacements import enrolled_notes, imported_anchors, is_anchor
from pkigen.environment.build.session import Session
from pkigen.environment.build.state import BuildState
from pkigen.environment.crl.previous import continue_crl
from pkigen.environment.crl.publish import CrlPublisher, write_bundle
from pkigen.environment.crl.schedule import needs_new_base, publication_reasons
from pkigen.environment.manifest.entries import TRUST
from pkigen.environment.manifest.write import ManifestWriter
from pkigen.environment.published.publishers import (
    CrlIssuer,
    PresignedSubject,
    crl_issuers_in,
    presigned_subject,
    save_publishers,
)
from pkigen.environment.published.stored_keys import SigningAuthority, read_certificates
from pkigen.formats import pem
from pkigen.issue import Signer
from pkigen.keys import kind_of
from pkigen.model import Entity, Role
from pkigen.x509 import Certificate

if TYPE_CHECKING:
    from pkigen.environment.ocsp.builder import OcspResponseBuilder


def finalize_build(session: Session, state: BuildState, options: BuildOptions) -> None:
    """Publish what is due, prune, and write trust.pem and the manifest; the manifest is last.

    Watchers use the manifest's mtime as the key of their caches.
    """
    finalizer = _Finalizer(session, state, options)
    plan = session.plan
    save_publishers(state.store, (*plan.authorities, *plan.cases))
    issuers = crl_issuers_in(plan.authorities)
    for authority, previous in plan.previous_crls.items():
        continue_crl(state.store, authority, previous)
    for entity in plan.authorities:
        if entity.id in issuers:
            finalizer.publish_crl(entity, issuers)
    write_bundle(state.store, issuers.values())
    for entity in plan.cases:
        if entity.ocsp is not None:
            finalizer.publish_response(entity)
    finalizer.prune()
    trusted = finalizer.write_trust()
    if options.seed is not None:
        state.store.index.set_meta("seeded", "yes")
        state.summary.notes.append(
            "built with --seed: the seed reveals every key; the build clock is "
            f"{plan.clock:%Y-%m-%dT%H:%M:%SZ}"
        )
    state.summary.notes += map(str, plan.warnings)
    state.summary.notes += [f"{case.name} was skipped: {case.reason}" for case in plan.passed]
    state.summary.notes += state.defects.notes()
    state.summary.notes += enrolled_notes(state.store, plan.clock)
    finalizer.write_manifest(trusted)


@dataclass(frozen=True, slots=True)
class _Finalizer:
    session: Session
    state: BuildState
    options: BuildOptions

    def publish_crl(self, entity: Entity, issuers: Mapping[str, CrlIssuer]) -> None:
        """Publish the CRLs of an authority if they are due."""
        state, plan = self.state, self.session.plan
        issuer, others = issuers[entity.id], tuple(issuers.values())
        fingerprint = self.session.decider.fingerprints[entity.id]
        reasons, digest = publication_reasons(state.store, issuer, others, fingerprint, plan.clock)
        if reasons:
            signer = self._crl_signer(entity)
            publisher = CrlPublisher(state.store, plan.clock, state.worker.signature_entropy, others)
            certificate = state.worker.authorities[entity.id].certificate
            publisher.publish(issuer, certificate, signer, digest, new_base=needs_new_base(reasons))
            state.summary.crls.append(CrlChange(entity.name, reasons))

    def _crl_signer(self, entity: Entity) -> Signer:
        """Return the authority's signer; a fault replaces the key but not the key identifier."""
        self.state.load_authorities()
        worker = self.state.worker
        signer = worker.signer(entity.id)
        if entity.crl is None or not entity.crl.rogue_key:
            return signer
        rogue = entity.crl.rogue_key
        if rogue in worker.authorities:
            return replace(signer, key=worker.signer(rogue).key)
        return replace(signer, key=worker.rogue_key(rogue, kind_of(signer.key).name))

    def publish_response(self, entity: Entity) -> None:
        """Publish the OCSP response about a case if it is due, unless --only excluded the case."""
        from pkigen.environment.ocsp import presigned

        store, clock = self.state.store, self.session.plan.clock
        entry = store.index.get([entity.id]).get(entity.id)
        fingerprint = self.session.decider.fingerprints.get(entity.certificates[0].issuer_id)
        subject = presigned_subject(entity)
        if entry is None or fingerprint is None or subject is None:
            return
        (_, serial), *_ = entry.serials
        digest = presigned.content_digest(subject, fingerprint, serial)
        if presigned.is_due(store, subject, digest, clock):
            self.state.load_authorities()
            presigned.publish(store, subject, serial, digest, self._response_builder(subject))

    def _response_builder(self, subject: PresignedSubject) -> OcspResponseBuilder:
        from pkigen.environment.ocsp.builder import SERIAL_BYTES, OcspResponseBuilder

        worker = self.state.worker
        return OcspResponseBuilder(
            worker.signer(subject.issuer),
            Certificate(worker.authorities[subject.issuer].certificate),
            worker.rogue_key,
            lambda name: SigningAuthority(worker.authorities[name].certificate, worker.signer(name)),
            worker.entropy.read(SERIAL_BYTES, "responder", subject.id),
            self.session.plan.clock,
            worker.signature_entropy,
        )

    def prune(self) -> None:
        """Delete entities that are no longer in the profile if --prune is set, or else report them."""
        summary, store = self.state.summary, self.state.store
        for entry in list(self.session.diff.removed()):
            if not self.options.deletes(entry.id):
                summary.add(Change(entry.id, Action.LEFT, (NOT_IN_PROFILE,)))
                continue
            summary.add(Change(entry.id, Action.PRUNE, ("not in the profile",)))
            summary.notes += [f"{path} was not written by pkigen and stays" for path in store.remove(entry)]

    def write_trust(self) -> frozenset[str]:
        """Write trust.pem and return the ids of the authorities that it contains."""
        folder, anchors, trusted = self.state.store.folder, list[bytes](), set[str]()
        for entity in self.session.plan.authorities:
            certificate = read_certificates(folder, entity)[0]
            if entity.imported is not None:
                anchors += imported_anchors(entity.imported)
            if is_anchor(entity):
                anchors.append(certificate)
                trusted.add(entity.id)
        text = b"".join(pem.encode("CERTIFICATE", anchor) for anchor in dict.fromkeys(anchors))
        self.state.store.write_if_changed(TRUST, text)
        return frozenset(trusted)

    def write_manifest(self, trusted: frozenset[str]) -> None:
        """Write manifest.json."""
        plan, store = self.session.plan, self.state.store
        certificates = [one for one in self.session.diff.seen if one.startswith(Role.CERTIFICATE)]
        revoked = store.index.revoked_entities()
        seeded = store.index.meta("seeded") is not None
        orphans = frozenset(self.session.decider.orphans)
        if orphans:
            self.state.summary.notes.append(
                f"{len(orphans)} certificates that --only excludes were issued by a CA certificate that no "
                "longer exists; build without --only to reissue them"
            )
        ManifestWriter(
            plan, certificates, store, trusted, seeded, revoked, orphans, self.state.defects.by_id
        ).write()
