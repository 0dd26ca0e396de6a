"""Records the revocations of the certificates of fleets in the index."""

from __future__ import annotations

from collections.abc import Iterator

from pkigen.clock import resolve_moment
from pkigen.environment.build.earlier_revocations import stays_revoked
from pkigen.model import Role
from pkigen.plan.fleets import FleetPlan
from pkigen.store import Revoked, ShardRow, Store


def revocation_text(plan: FleetPlan) -> str:
    """Return the revocation of a fleet as the index records it: empty if the profile revokes nothing."""
    revoked = plan.fleet.settings.revoked
    return "" if revoked is None else f"{revoked.every} {revoked.reason} {revoked.text}"


def record_revocations(store: Store, plan: FleetPlan, row: ShardRow) -> None:
    """Make the revocations by the profile of one shard those that the profile has now."""
    store.index.replace_revocations(
        row.authority, row.serial(row.first), row.serial(row.last), _planned(plan, row)
    )


def _planned(plan: FleetPlan, row: ShardRow) -> Iterator[Revoked]:
    revoked, clock = plan.fleet.settings.revoked, plan.planner.clock
    if revoked is None:
        return
    at = int(resolve_moment(revoked.at, clock).timestamp())
    since = revoked.invalid_since
    invalid_since = None if since is None else int(resolve_moment(since, clock).timestamp())
    every = revoked.every
    for index in range(-(-row.first // every) * every, row.last + 1, every):
        entity = f"{Role.CERTIFICATE}/{row.name(index)}"
        yield Revoked(
            *(
                row.authority,
                row.serial(index),
                entity,
                revoked.reason,
                at,
                "profile",
                revoked.text,
                invalid_since,
            )
        )


def carry_revocations(store: Store, row: ShardRow) -> None:
    """Revoke the new certificates whose predecessors a command revoked, unless the reason ends with them."""
    shards, carried = store.index.shards, list[Revoked]()
    for former in shards.current(row.fleet):
        if former.last < row.first or former.first > row.last or former.base == row.base:
            continue
        first, last = former.serial(former.first), former.serial(former.last)
        for revoked in store.index.revocations_between(former.authority, first, last):
            index = revoked.serial - former.base
            if stays_revoked(revoked) and row.first <= index <= row.last:
                carried.append(revoked._replace(issuer_id=row.authority, serial=row.serial(index)))
    store.index.set_revocations(carried)
