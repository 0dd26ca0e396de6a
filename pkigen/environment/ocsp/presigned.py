"""Signs the OCSP responses of cases with an OCSP fault at the end of a build (RFC 6960)."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2s, sha256

from pkigen.clock import LAST, later
from pkigen.environment.ocsp.builder import OcspQuery, OcspResponseBuilder
from pkigen.environment.published.publishers import PresignedSubject
from pkigen.model import OcspPlan
from pkigen.store import CrlState, Store

_FRESH_SHARE = 4
"""A response is refreshed when less than 1/_FRESH_SHARE of its lifetime is left."""


def is_due(store: Store, subject: PresignedSubject, digest: str, clock: datetime) -> bool:
    """Return whether a response must be signed again: its input changed, its file is damaged, it expires."""
    state = store.index.crl(subject.id)
    if state is None or state.digest != digest or store.damaged_files(state.files):
        return True
    return is_expiring(subject.ocsp, state, int(clock.timestamp()))


def is_expiring(plan: OcspPlan, state: CrlState, now: int) -> bool:
    """Return whether the time ``now`` (seconds since the epoch) alone requires a new response.

    A response that is planned to be expired stays expired.
    """
    lifetime = plan.lifetime or 0
    if plan.age < 0:
        return now >= state.this_update and now < LAST.timestamp()
    if lifetime <= 0 or plan.age > lifetime:
        return False
    if state.next_update >= LAST.timestamp():  # a new response could not last longer
        return now < state.this_update
    return not state.this_update <= now <= state.next_update - lifetime // _FRESH_SHARE


def content_digest(subject: PresignedSubject, fingerprint: str, serial: int) -> str:
    """Return a digest of the input of a response; ``fingerprint`` is that of the issuing CA's certificate."""
    text = f"{fingerprint} {serial} {subject.ocsp!r}"
    return blake2s(text.encode(), digest_size=16).hexdigest()


def publish(
    store: Store, subject: PresignedSubject, serial: int, digest: str, builder: OcspResponseBuilder
) -> None:
    """Sign the response about one end entity, write NAME.ocsp beside its certificate, and record it."""
    plan, path = subject.ocsp, f"{subject.id}/{subject.name}.ocsp"
    this_update = later(builder.clock, -plan.age)
    next_update = None if plan.lifetime is None else later(this_update, plan.lifetime)
    data = builder.response(plan, subject.name, [OcspQuery(serial)])
    store.write_loose(path, [data])
    times = int(this_update.timestamp()), int((next_update or this_update).timestamp())
    files = ((path, sha256(data).hexdigest()),)
    store.index.set_crl(CrlState(subject.id, 0, *times, digest, files))
