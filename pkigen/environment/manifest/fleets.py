"""Builds the objects of fleets in manifest.json: their shards, and not their certificates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pkigen.environment.manifest import schema
from pkigen.model import Role
from pkigen.plan.fleets import FleetPlan
from pkigen.store import Store

DIRECTORY = "fleets"
CHAIN = "chain.pem"


def fleet_lines(plans: tuple[FleetPlan, ...], store: Store) -> Iterator[str]:
    """Yield the object of each fleet that has shards, as JSON."""
    for plan in plans:
        shards = [
            schema.FleetShard.partial(
                first=row.first,
                last=row.last,
                first_serial=f"{row.serial(row.first):x}",
                last_serial=f"{row.serial(row.last):x}",
                not_before=datetime.fromtimestamp(row.not_before, UTC),
                not_after=datetime.fromtimestamp(row.not_after, UTC),
                files=[schema.FleetFile.partial(path=one.path, sha256=one.sha256) for one in row.files],
            )
            for row in store.index.shards.current(plan.name)
        ]
        if shards:
            yield _fleet(plan, shards).as_json()


def _fleet(plan: FleetPlan, shards: list[schema.FleetShard]) -> schema.Fleet:
    settings = plan.fleet.settings
    revoked, faults, pool = settings.revoked, settings.faults, settings.key
    return schema.Fleet.partial(
        name=plan.name,
        count=settings.count,
        issuer=plan.issuer_id.removeprefix(f"{Role.AUTHORITY}/"),
        path=[authority.partition("/")[2] for authority in plan.first.issuers],
        key=plan.first.key,
        keys=pool.pool if pool else None,
        formats=list(settings.to),
        chain=f"{DIRECTORY}/{plan.name}/{CHAIN}",
        revoked=schema.FleetRevoked.partial(every=revoked.every, reason=revoked.reason) if revoked else None,
        faults=schema.FleetFaults.partial(every=faults.every, of=[one.text for one in faults.of])
        if faults
        else None,
        shards=shards,
    )
