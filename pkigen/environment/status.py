"""What an environment contains, and which certificates are revoked, expired or about to expire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.environment.environment import Environment
from pkigen.environment.manifest.schema import Authority, Case, Enrolled, Fleet
from pkigen.store import Store


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """One certificate: its kind (CA, certificate, requested, faulty), and what is notable about it.

    ``state`` is valid, expiring, expired, not-yet-valid or revoked.
    """

    name: str
    kind: str
    issuer: str | None
    not_after: datetime
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CrlStatus:
    """The CRL of an authority; ``stale`` if its next update has passed."""

    authority: str
    next_update: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """A fleet: its certificates, those that are revoked, those with a fault, and the first to end.

    ``state`` is as that of a certificate.
    """

    name: str
    count: int
    shards: int
    revoked: int
    faulty: int
    not_after: datetime
    state: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EnvironmentStatus:
    """All certificates of an environment, CAs first, the CRLs, and the fleets."""

    certificates: tuple[CertificateStatus, ...]
    crls: tuple[CrlStatus, ...]
    fleets: tuple[FleetStatus, ...] = ()

    def of_state(self, *states: str) -> tuple[CertificateStatus, ...]:
        """Return the certificates without an intentional fault that are in one of these states."""
        return tuple(one for one in self.certificates if one.state in states and one.kind != "faulty")

    def count(self, kind: str) -> int:
        """Return the number of certificates of a kind."""
        return sum(one.kind == kind for one in self.certificates)


def environment_status(environment: Environment, now: datetime, until: datetime) -> EnvironmentStatus:
    """Return the status at a time (UTC); a certificate that ends before ``until`` is expiring."""
    contents = environment.contents
    entities: tuple[Authority | Case, ...] = (*contents.authorities, *contents.end_entities)
    crls = (one for one in contents.authorities if one.crl is not None and one.fault is None)
    return EnvironmentStatus(
        tuple(_status(entity, now, until) for entity in entities),
        tuple(
            CrlStatus(one.name, one.crl.next_update, one.crl.next_update < now)
            for one in crls
            if one.crl is not None
        ),
        tuple(
            _fleet_status(fleet, revoked, now, until)
            for fleet, revoked in _revoked_of_fleets(environment.folder, contents.fleets)
        ),
    )


def expiring(environment: Environment, until: datetime) -> Iterator[str]:
    """Yield the ids of the end entities without a fault that have expired, or end before ``until``.

    A shard of a fleet that ends before is represented by its first certificate.
    """
    for case in environment.contents.end_entities:
        if case.fault is None and case.revoked is None and case.not_after < until:
            yield f"certificates/{case.name}"
    for fleet in environment.contents.fleets:
        for shard in fleet.shards:
            if shard.not_after < until:
                yield f"certificates/{fleet.name}-{shard.first:0{len(str(fleet.count))}}"


def dated_state(data: Mapping[str, Any], now: datetime) -> str:
    """Return what is notable about a case at a time, with its date; "" for a valid certificate.

    ``data`` is the object of the case in the manifest.
    """
    words = []
    if revoked := data.get("revoked"):
        words.append(f"It was revoked on {revoked['at'][:10]} ({revoked['reason']}).")
    if datetime.fromisoformat(data["not_after"]) < now:
        words.append(f"It expired on {data['not_after'][:10]}.")
    elif datetime.fromisoformat(data["not_before"]) > now:
        words.append(f"It is not valid before {data['not_before'][:10]}.")
    return " ".join(words)


def _status(entity: Authority | Case, now: datetime, until: datetime) -> CertificateStatus:
    state, detail = _state(entity, now, until)
    return CertificateStatus(entity.name, _kind(entity), entity.issuer, entity.not_after, state, detail)


def _revoked_of_fleets(folder: Path, fleets: Sequence[Fleet]) -> Iterator[tuple[Fleet, int]]:
    """Yield each fleet with the number of its revoked certificates, by the profile and by commands.

    The index has them; a copy of an environment without an index has those of the profile.
    """
    if not fleets or not Store.exists(folder):
        yield from ((one, one.count // one.revoked.every if one.revoked else 0) for one in fleets)
        return
    with Store.open(folder, write=False) as store:
        yield from [(one, store.index.shards.revoked(one.name)) for one in fleets]


def _fleet_status(fleet: Fleet, revoked: int, now: datetime, until: datetime) -> FleetStatus:
    not_before = max(shard.not_before for shard in fleet.shards)
    not_after = min(shard.not_after for shard in fleet.shards)
    return FleetStatus(
        fleet.name,
        fleet.count,
        len(fleet.shards),
        revoked,
        fleet.count // fleet.faults.every if fleet.faults else 0,
        not_after,
        *_validity(not_before, not_after, now, until),
    )


def _kind(entity: Authority | Case) -> str:
    if entity.fault is not None:
        return "faulty"
    if isinstance(entity, Enrolled):
        return "requested"
    return "CA" if isinstance(entity, Authority) else "certificate"


def _state(entity: Authority | Case, now: datetime, until: datetime) -> tuple[str, str]:
    if entity.revoked is not None:
        return "revoked", f"{entity.revoked.reason} since {entity.revoked.at:%Y-%m-%d}"
    return _validity(entity.not_before, entity.not_after, now, until)


def _validity(not_before: datetime, not_after: datetime, now: datetime, until: datetime) -> tuple[str, str]:
    if not_after < now:
        return "expired", f"since {not_after:%Y-%m-%d}"
    if not_before > now:
        return "not-yet-valid", f"before {not_before:%Y-%m-%d}"
    if not_after < until:
        days = (not_after - now).days
        return "expiring", f"in {days} day{'' if days == 1 else 's'}"
    return "valid", ""
