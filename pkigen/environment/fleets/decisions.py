"""Decides which shards of a fleet a build issues, and why."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from hashlib import blake2s
from pathlib import Path

from pkigen.environment.build.diff import output_digest
from pkigen.environment.build.options import Action, BuildOptions, Change
from pkigen.environment.build.reissue_reasons import RENEWED, ReissueDecider
from pkigen.environment.fleets.remote import damage, is_url
from pkigen.environment.manifest.fleets import DIRECTORY
from pkigen.plan.digest import changed_parts
from pkigen.plan.fleets import FleetPlan
from pkigen.store import ShardFile, ShardRow, Store
from pkigen.store.staged_files import file_digest

_DESTINATION = "shards to"
_TEMPLATE = "template"
"""The part of a digest for fields that the first certificate does not show."""


@dataclass
class FleetDecision:
    """What to do with a fleet: the shards to build with the reasons, those that stay, and obsolete ones.

    ``build`` are (first, last) and the reasons. ``skipped`` is true if --only excludes the fleet.
    """

    plan: FleetPlan
    build: list[tuple[int, int, tuple[str, ...]]] = field(default_factory=list)
    stay: list[ShardRow] = field(default_factory=list)
    obsolete: list[ShardRow] = field(default_factory=list)
    skipped: bool = False

    @property
    def id(self) -> str:
        """The directory of the fleet, relative to the environment."""
        return f"{DIRECTORY}/{self.plan.name}"

    @property
    def certificates(self) -> int:
        """The number of certificates to issue."""
        return sum(last - first + 1 for first, last, _ in self.build)

    def change(self) -> Change:
        """Return the decision as a change of the summary."""
        if self.skipped:
            return Change(self.id, Action.SKIP, ("excluded by --only",))
        if not self.build and not self.obsolete:
            return Change(self.id, Action.KEEP)
        total = len(self.build) + len(self.stay)
        reasons = dict.fromkeys(reason for *_, why in self.build for reason in why)
        if not self.stay and set(reasons) == {NEW}:
            return Change(self.id, Action.ISSUE, (NEW,), True)
        where = f"{len(self.build):,} of {total:,} shards, {self.certificates:,} certificates"
        several = [*list(reasons)[:3], *(["..."] if len(reasons) > 3 else [])]
        return Change(self.id, Action.REISSUE, (f"{where}: {'; '.join(several)}",), True)


NEW = "new in the profile"


def decide(plan: FleetPlan, store: Store | None, decider: ReissueDecider, salt: bytes) -> FleetDecision:
    """Compare a fleet with the shards in the index and their files; ``salt`` is the environment's."""
    decision, options = FleetDecision(plan), decider.options
    existing = {
        (row.first, row.last): row for row in (store.index.shards.current(plan.name) if store else ())
    }
    if options.only is not None and not fnmatchcase(plan.name, options.only):
        decision.skipped, decision.stay = True, list(existing.values())
        return decision
    for first, last in shard_ranges(plan):
        row = existing.pop((first, last), None)
        reasons = (NEW,) if row is None or store is None else tuple(_reasons(plan, row, store, decider, salt))
        if reasons or row is None:
            decision.build.append((first, last, reasons))
            decision.obsolete += [row] if row else []
        else:
            decision.stay.append(row)
    decision.obsolete += existing.values()
    return decision


def destination_of(store: Store, options: BuildOptions) -> str:
    """Return the URL for shards, "" for the environment; without the option, that of the build before."""
    return options.destination or store.index.meta(_DESTINATION) or ""


def remember_destination(store: Store, options: BuildOptions) -> None:
    """Record the URL for later builds, and for commands that build."""
    if options.destination:
        store.index.set_meta(_DESTINATION, options.destination)


def shard_ranges(plan: FleetPlan) -> Iterator[tuple[int, int]]:
    """Yield the first and the last certificate of each shard."""
    count, size = plan.fleet.settings.count, plan.fleet.settings.shard
    for first in range(1, count + 1, size):
        yield first, min(first + size - 1, count)


def spec_of(plan: FleetPlan, first: int, last: int, key_source: str, salt: bytes) -> str:
    """Return the digest of what the profile says about a shard, as the digest of a certificate."""
    settings, entity = plan.fleet.settings, plan.first
    faults = settings.faults
    has_faults = (
        faults is not None and first // faults.every + bool(first % faults.every) <= last // faults.every
    )
    parts = {
        "faults": (faults.every, [one.text for one in faults.of]) if faults and has_faults else (),
        "key": (entity.key, settings.key.pool if settings.key else 0, key_source),
        "formats": (settings.to, output_digest(entity, salt)),
        _TEMPLATE: _without_places(plan.fleet.body.tree),
    }
    short = (
        f"{name}={blake2s(repr(part).encode(), digest_size=8).hexdigest()}" for name, part in parts.items()
    )
    return ";".join((entity.certificates[0].spec, *short))


def _without_places(node: object) -> object:
    """Return the fields whose templates can make certificates differ."""
    if isinstance(node, dict):
        ignored = ("pkcs12", "passphrase", "key", "renew", "requirements")
        return {key: _without_places(value) for key, value in node.items() if key not in ignored}
    return [_without_places(one) for one in node] if isinstance(node, list) else str(node)


def _reasons(
    plan: FleetPlan, row: ShardRow, store: Store, decider: ReissueDecider, salt: bytes
) -> Iterator[str]:
    options = decider.options
    if options.rekey:
        yield "a new key was requested with --rekey"
    spec = spec_of(plan, row.first, row.last, decider.key_source, salt)
    parts = changed_parts(row.spec, spec)
    yield from (f"its {part} changed" for part in parts if part != _TEMPLATE or len(parts) == 1)
    fingerprint = decider.fingerprints.get(plan.issuer_id)
    issuer = plan.issuer_id.partition("/")[2]
    if fingerprint is None:
        yield f"its issuer {issuer} is reissued"
    elif row.issuers != fingerprint:
        yield "its issuer's certificate changed"
    if any(one.partition("/")[2] in row for one in options.renew):
        yield RENEWED
        return
    yield from decider.time_reasons(plan.first, row.not_before, row.not_after)
    prefix = destination_of(store, options) or DIRECTORY
    for file in row.files:
        if not file.path.startswith(prefix):
            yield f"its files have to be in {prefix}"
            return
        check = damage if is_url(file.path) else partial(_damage, store.folder)
        if reason := check(file, verify=options.verify):
            yield f"{file.path} {reason}"


def _damage(folder: Path, file: ShardFile, *, verify: bool) -> str:
    """Return whether a file "is missing" or "was altered", by size and modification time; "" if neither."""
    try:
        status = os.stat(folder / file.path, follow_symlinks=False)
        if status.st_size != file.size or status.st_mtime_ns != file.modified:
            return "was altered"
        if verify and file_digest(str(folder / file.path)) != file.sha256:
            return "was altered"
    except FileNotFoundError:
        return "is missing"
    except OSError:
        return "was altered"
    return ""
