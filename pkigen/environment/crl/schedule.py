"""When an authority's CRLs are published anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2s
from itertools import islice

from pkigen.environment.published.publishers import CrlIssuer
from pkigen.model import CrlPlan
from pkigen.store import CrlState, Revoked

_CHUNK = 4096
FRESH_SHARE = 4
"""A CRL is published anew when less than this part of its time is left."""
CHANGED = "revocations changed"
DELTA_ENDS = "less than a quarter of its delta CRL's time is left"


def needs_new_base(reasons: Iterable[str]) -> bool:
    """Whether a delta CRL is to have another base: not just because something was revoked, or it ended."""
    return not {CHANGED, DELTA_ENDS}.issuperset(reasons)


def publication_reasons(
    issuer: CrlIssuer, state: CrlState | None, digest: str, damaged: Sequence[str], clock: datetime
) -> tuple[str, ...]:
    """Why an authority's CRLs are to be published anew; empty when they stay."""
    if state is None:
        return ("none was published yet",)
    reasons = [f"{path} is missing or was altered" for path in damaged]
    authority, entries = digest.split(":")
    held_authority, held_entries = state.digest.split(":")
    if authority != held_authority:
        reasons.append("its authority or its lifetime changed")
    if entries != held_entries:
        reasons.append(CHANGED)
    return (*reasons, *time_reasons(issuer.crl, state, int(clock.timestamp())))


def time_reasons(asked: CrlPlan, state: CrlState, now: int) -> tuple[str, ...]:
    """Why the time (seconds of the epoch) asks for new CRLs.

    A CRL that is to be out of force stays as long as it is.
    """
    if asked.age < 0:
        return () if now < state.this_update else ("it should not have begun",)
    if asked.age > asked.lifetime:
        return () if now > state.next_update else ("it should have ended",)
    if now < state.this_update:
        return ("it is from after the clock",)
    if now > state.next_update - asked.lifetime // FRESH_SHARE:
        return ("less than a quarter of its time is left",)
    for life in (part.delta for part in asked.parts if part.delta):
        if now > state.this_update + life - life // FRESH_SHARE:
            return (DELTA_ENDS,)
    return ()


def content_digest(issuer: CrlIssuer, fingerprint: str, entries: Iterable[Revoked]) -> str:
    """What CRLs depend on: ``AUTHORITY:ENTRIES``, each a digest; ``fingerprint`` is the certificate's."""
    asked = issuer.crl
    ordinary = CrlPlan(asked.lifetime, asked.url, suffix=asked.suffix)
    special = "" if asked == ordinary else f" {replace(asked, url='')!r}"
    authority = blake2s(f"{fingerprint} {asked.lifetime}{special}".encode(), digest_size=16)
    stated = blake2s(digest_size=16)
    lines = (
        f"{serial} {at} {reason}\n" if since is None else f"{serial} {at} {reason} {since}\n"
        for _, serial, _, reason, at, _, _, since in entries
    )
    while chunk := "".join(islice(lines, _CHUNK)):
        stated.update(chunk.encode())
    return f"{authority.hexdigest()}:{stated.hexdigest()}"
