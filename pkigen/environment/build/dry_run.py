"""What a build would do, without doing it."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import chain
from pathlib import Path

from pkigen.environment import crl
from pkigen.environment.build.diff import Decision
from pkigen.environment.build.options import (
    Action,
    BuildOptions,
    Change,
    CrlChange,
    Summary,
)
from pkigen.environment.build.session import Session, key_source, open_session
from pkigen.environment.published import publishers
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.environment.source_profile import with_requested_faults
from pkigen.profile import Profile
from pkigen.store import Store


def preview(profile: Profile, out: Path, options: BuildOptions | None = None) -> Summary:
    """Everything ``build`` would do with these options now, and why; nothing is written."""
    options = options or BuildOptions()
    folder = out / profile.name
    exists = Store.exists(folder)
    with Store.open(folder, write=False) if exists else nullcontext() as store:
        profile = with_requested_faults(profile, store) if store else profile
        session = open_session(profile, folder, options, store, key_source(options))
        summary, changed = Summary(), set[str]()
        known = {
            found.entity_id
            for entity in session.plan.authorities
            for found in (store.index.revocations(entity.id) if store else ())
        }
        for found in chain(session.survey.authorities(), session.survey.certificates()):
            summary.add(found.change)
            changed |= _issuers_with_news(found, store, known)
        issuers = publishers.crl_issuers_in(session.plan.authorities)
        changed |= {issuer.crl.listed_by for issuer in issuers.values() if issuer.id in changed}
        for issuer in issuers.values():
            reasons = _crl_reasons(session, store, issuer, tuple(issuers.values()))
            if issuer.id in changed and store and store.index.crl(issuer.id) and crl.CHANGED not in reasons:
                reasons = (crl.CHANGED, *reasons)
            if reasons:
                summary.crls.append(CrlChange(issuer.name, reasons))
        action = Action.PRUNE if options.prune else Action.LEFT
        for entry in session.survey.left():
            summary.add(Change(entry.id, action, ("not in the profile",)))
        return summary


def _issuers_with_news(found: Decision, store: Store | None, known: set[str]) -> set[str]:
    """The authorities whose CRL will say something else of this entity than it does now."""
    entity, entry = found.entity, found.entry
    if store is None or entry is None or found.change.action is not Action.KEEP:
        return {p.issuer_id for p in entity.certificates} if entity.revocation else set()
    if entity.revocation is None and entity.id not in known:
        return set()
    held = store.index.revocations_of(entity.id)
    added, taken_back = crl.revocation_changes(entity, entry.serials, held)
    return {change.issuer_id for change in (*added, *taken_back)}


def _crl_reasons(
    session: Session, store: Store | None, issuer: CrlIssuer, others: tuple[CrlIssuer, ...]
) -> tuple[str, ...]:
    state = store.index.crl(issuer.id) if store else None
    if store is None or state is None:
        return ("none was published yet",)
    fingerprint = session.decider.fingerprints.get(issuer.id)
    if fingerprint is None:
        return ("its authority is issued anew",)
    digest = crl.content_digest(issuer, fingerprint, crl.listed_revocations(store, issuer, others))
    damaged = [found.path for found in store.damaged_files(state.files)]
    return crl.publication_reasons(issuer, state, digest, damaged, session.plan.clock)
