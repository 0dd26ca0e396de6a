"""The OCSP answers about end entities: signed at the end of a build, beside the certificate (RFC 6960)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2s, sha256
from typing import Any

from pkigen.environment.ocsp.builder import OcspQuery, OcspResponseBuilder
from pkigen.environment.published.publishers import PresignedSubject
from pkigen.model import OcspPlan
from pkigen.store import CrlState, Store

_FRESH_SHARE = 4


def is_due(
    asked: OcspPlan, state: CrlState | None, digest: str, damaged: Sequence[str], clock: datetime
) -> bool:
    """Whether an answer is to be signed anew; one that is to be out of force stays so."""
    if state is None or state.digest != digest or damaged:
        return True
    return is_expiring(asked, state, int(clock.timestamp()))


def is_expiring(asked: OcspPlan, state: CrlState, now: int) -> bool:
    """Whether the time (seconds of the epoch) alone asks for a new answer."""
    lifetime = asked.lifetime or 0
    if asked.age < 0:
        return now >= state.this_update
    if lifetime <= 0 or asked.age > lifetime:
        return False
    return not state.this_update <= now <= state.next_update - lifetime // _FRESH_SHARE


def content_digest(answered: PresignedSubject, fingerprint: str, serial: int) -> str:
    """What an answer depends on: what is asked for, the issuing CA's certificate, the serial number."""
    text = f"{fingerprint} {serial} {answered.ocsp!r}"
    return blake2s(text.encode(), digest_size=16).hexdigest()


def publish(
    store: Store, answered: PresignedSubject, serial: int, digest: str, maker: OcspResponseBuilder
) -> None:
    """Sign the answer about one end entity, put it beside the certificate, and remember it."""
    asked, path = answered.ocsp, f"{answered.id}/{answered.name}.ocsp"
    begins = maker.clock - timedelta(seconds=asked.age)
    ends = None if asked.lifetime is None else begins + timedelta(seconds=asked.lifetime)
    data = maker.response(asked, answered.name, [OcspQuery(serial)])
    store.write_loose(path, [data])
    times = int(begins.timestamp()), int((ends or begins).timestamp())
    files = ((path, sha256(data).hexdigest()),)
    store.index.set_crl(CrlState(answered.id, 0, *times, digest, files))


def manifest_entry(asked: OcspPlan, state: CrlState) -> dict[str, Any]:
    """What the manifest says of an answer."""
    return {
        "url": asked.url,
        "file": state.files[0][0],
        "this_update": _iso(state.this_update),
        "next_update": None if asked.lifetime is None else _iso(state.next_update),
    }


def _iso(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"
