"""Decides when an authority's CRLs must be published again, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from hashlib import blake2s
from itertools import islice

from pkigen.clock import LAST
from pkigen.environment.crl.entries import listed_revocations
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.model import CrlPlan
from pkigen.store import CrlState, Revoked, Store

_CHUNK = 4096
FRESH_SHARE = 4
"""A CRL is refreshed when less than 1/FRESH_SHARE of its lifetime is left."""
NOT_PUBLISHED = "no CRL was published yet"
CHANGED = "the revocations changed"
DELTA_EXPIRES = "less than a quarter of the delta CRL's lifetime is left"


def needs_new_base(reasons: Iterable[str]) -> bool:
    """Return whether a delta CRL needs a new base: not for revocations, or because the delta expires."""
    return not {CHANGED, DELTA_EXPIRES}.issuperset(reasons)


def publication_reasons(
    store: Store, issuer: CrlIssuer, others: Iterable[CrlIssuer], fingerprint: str, clock: datetime
) -> tuple[tuple[str, ...], str]:
    """Return the reasons to publish an authority's CRLs again, empty if they stay, and their digest.

    ``others`` are all authorities that publish a CRL, ``fingerprint`` is that of the authority's
    certificate file. The index records the digest with the CRLs (see ``content_digest``).
    """
    digest = content_digest(issuer, fingerprint, listed_revocations(store, issuer, others))
    state = store.index.crl(issuer.id)
    if state is None:
        return (NOT_PUBLISHED,), digest
    reasons = [f"{damage.path} is missing or was altered" for damage in store.damaged_files(state.files)]
    authority, _, entries = digest.partition(":")
    recorded_authority, _, recorded_entries = state.digest.partition(":")
    if authority != recorded_authority:
        reasons.append("the authority or the lifetime of the CRL changed")
    if entries != recorded_entries:
        reasons.append(CHANGED)
    return (*reasons, *time_reasons(issuer.crl, state, int(clock.timestamp()))), digest


def time_reasons(plan: CrlPlan, state: CrlState, now: int) -> tuple[str, ...]:
    """Return why the time ``now`` (seconds since the epoch) requires new CRLs.

    A CRL that is planned to be expired or not yet valid stays as long as it is.
    """
    end = int(LAST.timestamp())
    if plan.age < 0:
        is_planned = now < state.this_update or now >= end
        return () if is_planned else ("the CRL must be not yet valid, and became valid",)
    if plan.age > plan.lifetime:
        return () if now > state.next_update else ("the CRL must be expired, and is not",)
    if now < state.this_update:
        return ("the CRL's this_update is after the clock",)
    if state.next_update < end and now > state.next_update - plan.lifetime // FRESH_SHARE:
        return ("less than a quarter of the CRL's lifetime is left",)
    for lifetime in (part.delta for part in plan.parts if part.delta):
        due = state.this_update + lifetime
        if due < end and now > due - lifetime // FRESH_SHARE:
            return (DELTA_EXPIRES,)
    return ()


def content_digest(issuer: CrlIssuer, fingerprint: str, revocations: Iterable[Revoked]) -> str:
    """Return ``AUTHORITY:ENTRIES``, two digests of the input of an authority's CRLs.

    ``fingerprint`` is that of the authority's certificate file.
    """
    plan = issuer.crl
    default = CrlPlan(plan.lifetime, plan.url, suffix=plan.suffix)
    special = "" if plan == default else f" {replace(plan, url='')!r}"
    authority = blake2s(f"{fingerprint} {plan.lifetime}{special}".encode(), digest_size=16)
    entries = blake2s(digest_size=16)
    lines = (
        f"{serial} {at} {reason}\n" if since is None else f"{serial} {at} {reason} {since}\n"
        for _, serial, _, reason, at, _, _, since in revocations
    )
    while chunk := "".join(islice(lines, _CHUNK)):
        entries.update(chunk.encode())
    return f"{authority.hexdigest()}:{entries.hexdigest()}"
