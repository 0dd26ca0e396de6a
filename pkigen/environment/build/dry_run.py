"""Computes what a build would do, without doing it."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import chain
from pathlib import Path

from pkigen.environment.build.diff import Decision, writes_files
from pkigen.environment.build.earlier_revocations import EarlierRevocations
from pkigen.environment.build.options import Action, BuildOptions, Change, CrlChange, Summary
from pkigen.environment.build.path_defects import PathDefects
from pkigen.environment.build.reissue_reasons import NOT_IN_PROFILE
from pkigen.environment.build.replacements import IssuerLifetimes, announcements
from pkigen.environment.build.session import Session, key_source, open_session, plan_profile, stored_salt
from pkigen.environment.crl.entries import revocation_changes
from pkigen.environment.crl.schedule import CHANGED, NOT_PUBLISHED, publication_reasons
from pkigen.environment.published.publishers import CrlIssuer, crl_issuers_in
from pkigen.profile import Profile
from pkigen.store import Store


def preview(profile: Profile, out: Path, options: BuildOptions | None = None) -> Summary:
    """Return everything that ``build`` would do now with these options, and why. Writes nothing."""
    options = options or BuildOptions()
    folder = out / profile.name
    exists = Store.exists(folder)
    with Store.open(folder, write=False) if exists else nullcontext() as store:
        planned = plan_profile(profile, options, store)
        session = open_session(planned, folder, options, store, key_source(options))
        summary, changed, defects = Summary(), set[str](), PathDefects(session.plan)
        revocations = session.decider.revocations
        lifetimes, authorities = IssuerLifetimes(), session.diff.authorities()
        for decision in chain(authorities, session.diff.certificates()):
            summary.add(decision.change)
            lifetimes.add(decision)
            defects.record(decision, stays=decision.entity.id in session.decider.fingerprints)
            changed |= _issuers_of_revocation_changes(decision, store, revocations)
        issuers = crl_issuers_in(session.plan.authorities)
        changed |= {issuer.crl.indirect_crl_issuer for issuer in issuers.values() if issuer.id in changed}
        for issuer in issuers.values():
            reasons = _crl_reasons(session, store, issuer, tuple(issuers.values()))
            if issuer.id in changed and store and store.index.crl(issuer.id) and CHANGED not in reasons:
                reasons = (CHANGED, *reasons)
            if reasons:
                summary.crls.append(CrlChange(issuer.name, reasons))
        for fleet in session.plan.fleets:
            from pkigen.environment.fleets.decisions import decide

            shards = decide(fleet, store, session.decider, stored_salt(store))
            summary.add(shards.change())
            summary.in_shards += shards.certificates
        for entry in session.diff.removed():
            action = Action.PRUNE if options.deletes(entry.id) else Action.LEFT
            reason = "not in the profile" if action is Action.PRUNE else NOT_IN_PROFILE
            summary.add(Change(entry.id, action, (reason,)))
        if store is not None:
            summary.notes += announcements(store, profile, authorities, options)
        summary.notes += (*lifetimes.notes(), *map(str, session.plan.warnings), *defects.notes())
        return summary


def _issuers_of_revocation_changes(
    decision: Decision, store: Store | None, revocations: EarlierRevocations
) -> set[str]:
    """Return the authorities whose CRL entry for an entity would change."""
    entity, entry = decision.entity, decision.entry
    if store is None or entry is None or decision.change.action is not Action.KEEP:
        issuers = {plan.issuer_id for plan in entity.certificates} if entity.revocation else set()
        if writes_files(decision.change):
            issuers |= {one.issuer_id for one in revocations.carried(entity, entry)}
        return issuers
    if entity.revocation is None and entity.id not in revocations.revoked:
        return set()
    added, removed = revocation_changes(entity, entry.serials, store.index.revocations_of(entity.id))
    return {revocation.issuer_id for revocation in (*added, *removed)}


def _crl_reasons(
    session: Session, store: Store | None, issuer: CrlIssuer, others: tuple[CrlIssuer, ...]
) -> tuple[str, ...]:
    if store is None or store.index.crl(issuer.id) is None:
        return (NOT_PUBLISHED,)
    fingerprint = session.decider.fingerprints.get(issuer.id)
    if fingerprint is None:
        return ("the authority is reissued",)
    return publication_reasons(store, issuer, others, fingerprint, session.plan.clock)[0]
