"""Builds the fleets of a profile: shard by shard, in worker processes, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from pkigen import renames
from pkigen.environment.build.options import Action, BuildOptions, Change, available_jobs
from pkigen.environment.build.reissue_reasons import NOT_IN_PROFILE
from pkigen.environment.build.session import Session, stored_salt
from pkigen.environment.build.state import BuildState
from pkigen.environment.build.worker_processes import call_in_processes
from pkigen.environment.fleets.decisions import (
    FleetDecision,
    decide,
    destination_of,
    remember_destination,
    spec_of,
)
from pkigen.environment.fleets.remote import delete, is_url, upload
from pkigen.environment.fleets.revocations import carry_revocations, record_revocations, revocation_text
from pkigen.environment.fleets.worker import (
    FleetTemplate,
    ShardTask,
    ShardWorker,
    StagedFile,
    shard_path,
    shard_url,
)
from pkigen.environment.manifest.fleets import CHAIN, DIRECTORY
from pkigen.environment.published.stored_keys import read_certificates
from pkigen.errors import EnvironmentFailure
from pkigen.formats import pem
from pkigen.keys import to_pkcs8
from pkigen.keys.entropy import SeededEntropy
from pkigen.keys.kinds import parse_kind
from pkigen.model import Role
from pkigen.plan.compliance import requirement_notes
from pkigen.plan.fleets import FleetPlan
from pkigen.store import ShardFile, ShardRow, Store
from pkigen.store.layout import inside, reject_link
from pkigen.store.shards import CURRENT, INDEX_BITS
from pkigen.store.staged_files import sync_directory, sync_file

_BASE_BYTES = 12
_HIGHEST_BIT = 1 << 94
"""Makes serial numbers of fleets 127 bits long, so that they are positive and have 16 bytes."""
_POOL = "keys.pem"


def build_fleets(
    session: Session, state: BuildState, options: BuildOptions, advance: Callable[[int], None]
) -> None:
    """Build the shards that are new, changed, or damaged; record each of them when its files are in place."""
    remember_destination(state.store, options)
    builder = _Builder(session, state, replace(options, destination=destination_of(state.store, options)))
    decisions = [
        decide(fleet, state.store, session.decider, stored_salt(state.store)) for fleet in session.plan.fleets
    ]
    for decision in decisions:
        state.summary.add(decision.change())
        advance(sum(row.count for row in decision.stay))
    if any(decision.build for decision in decisions):
        builder.build(decisions, advance)
    for decision in decisions:
        builder.finish(decision)
    builder.prune(decisions)


@dataclass
class _Builder:
    session: Session
    state: BuildState
    options: BuildOptions

    def build(self, decisions: Sequence[FleetDecision], advance: Callable[[int], None]) -> None:
        """Build all shards of all fleets in worker processes."""
        self.state.load_authorities()
        self.state.summary.in_shards = sum(
            last - first + 1 for one in decisions for first, last, _ in one.build
        )
        worker = ShardWorker(self.state.worker, {one.plan.name: self._template(one) for one in decisions})
        tasks = chain.from_iterable(self._tasks(one, worker) for one in decisions)
        by_name = {one.plan.name: one.plan for one in decisions}
        for task, files in self._run(worker, tasks):
            self._publish(by_name[task.row.fleet], task.row, files)
            advance(task.row.count)

    def _run(
        self, worker: ShardWorker, tasks: Iterator[ShardTask]
    ) -> Iterator[tuple[ShardTask, list[StagedFile]]]:
        options = self.options
        if not options.scheduler:
            return _run(worker, tasks, options.jobs or available_jobs())
        from pkigen.environment.fleets.cluster import run_on_cluster

        profile = self.session.plan.fleets[0].planner.profile
        shared = frozenset(f"{Role.AUTHORITY}/{one.name}" for one in profile.authorities if one.share_key)
        used = {template.issuer_id for template in worker.templates.values()} & shared
        self.state.summary.notes += cluster_notes(options.scheduler, used)
        return run_on_cluster(worker, tasks, options.scheduler, shared, options.destination)

    def _template(self, decision: FleetDecision) -> FleetTemplate:
        plan, worker = decision.plan, self.state.worker
        entity, signer = plan.first, worker.signer(plan.issuer_id)
        return FleetTemplate(
            plan.stencil(signer),
            plan.issuer_id,
            entity.key,
            entity.certificates[0].signature,
            self._chain(plan),
            entity.output.passphrase,
            entity.output.pkcs12_passphrase,
            self._pool(decision) if decision.build else (),
        )

    def _chain(self, plan: FleetPlan) -> tuple[bytes, ...]:
        """Return the certificates of the authorities above a fleet, which are in place."""
        path = [self.state.authorities[issuer] for issuer in plan.first.issuers]
        certificates = (read_certificates(self.state.store.folder, authority)[0] for authority in path)
        imported = path[-1].imported
        return (*certificates, *(imported.chain if imported else ()))

    def _pool(self, decision: FleetDecision) -> tuple[bytes, ...]:
        """Return the keys that the certificates of a fleet share; those of existing shards, if any stay."""
        fleet, store, keys = decision.plan.fleet, self.state.store, self.state.worker.keys
        if fleet.settings.key is None:
            return ()
        count, kind = fleet.settings.key.pool, parse_kind(decision.plan.first.key)
        path = f"{decision.id}/{_POOL}"
        if decision.stay and (store.folder / path).is_file():
            return tuple(block.data for block in pem.blocks(store.read(path)))
        owners = [f"{decision.id}/{number}" for number in range(1, count + 1)]
        with ThreadPoolExecutor(self.options.jobs or available_jobs()) as threads:
            pool = tuple(map(to_pkcs8, threads.map(lambda owner: keys.generate(kind, owner), owners)))
        make_private_directory(store, decision.id)
        store.write_secret(path, b"".join(pem.encode("PRIVATE KEY", key) for key in pool))
        return pool

    def _tasks(self, decision: FleetDecision, worker: ShardWorker) -> Iterator[ShardTask]:
        """Reserve serial numbers for all shards of a fleet, then yield the tasks one by one."""
        plan, store = decision.plan, self.state.store
        rows = [self._row(plan, first, last) for first, last, _ in decision.build]
        for row in store.index.shards.reserve(rows):
            raise EnvironmentFailure(
                f"{row.authority} already used a serial number of {row.fleet}; run the build again"
            )
        stencil = worker.templates[plan.name].stencil
        for row in rows:
            plan.check(stencil, dict.fromkeys((row.first, row.last)), row.base)
            yield ShardTask(row, plan.faulty(range(row.first, row.last + 1), row.base))

    def _row(self, plan: FleetPlan, first: int, last: int) -> ShardRow:
        entropy, store = self.session.entropy, self.state.store
        labels: tuple[str, ...] = ()
        if isinstance(entropy, SeededEntropy):
            times = store.index.shards.times_published(plan.name, first, last)
            labels = ("shard", plan.issuer_id, plan.name, str(first), str(times))
        random = int.from_bytes(entropy.read(_BASE_BYTES, *labels), "big") % _HIGHEST_BIT
        base = (_HIGHEST_BIT | random) << INDEX_BITS
        return ShardRow(plan.issuer_id, base, plan.name, first, last, plan.fleet.width)

    def _publish(self, plan: FleetPlan, row: ShardRow, staged: Sequence[StagedFile]) -> None:
        """Put the files of a shard in place, and record it."""
        store, decider = self.state.store, self.session.decider
        files = [self._place(row, one) for one in staged]
        certificate = plan.first.certificates[0]
        row = replace(
            row,
            state=CURRENT,
            spec=spec_of(plan, row.first, row.last, decider.key_source, stored_salt(store)),
            issuers=decider.fingerprints[plan.issuer_id],
            not_before=int(certificate.not_before.timestamp()),
            not_after=int(certificate.not_after.timestamp()),
            revoked=revocation_text(plan),
            files=tuple(files),
        )
        # Before the shard is current: a crash must not leave one of its certificates valid.
        carry_revocations(store, row)
        record_revocations(store, plan, row)
        store.index.shards.publish(row)

    def _place(self, row: ShardRow, file: StagedFile) -> ShardFile:
        store, destination = self.state.store, self.options.destination
        if is_url(file.path):
            return ShardFile(file.path, file.sha256, file.size, 0)
        if destination:
            url = shard_url(destination, row, file.format)
            upload(Path(file.path), url)
            Path(file.path).unlink()
            return ShardFile(url, file.sha256, file.size, 0)
        path = shard_path(row, file.format)
        make_private_directory(store, path.rpartition("/")[0])
        target, staged = inside(store.folder, path), Path(file.path)
        sync_file(staged)
        renames.replace(staged, target)
        sync_directory(target.parent)
        return ShardFile(path, file.sha256, file.size, target.stat().st_mtime_ns)

    def finish(self, decision: FleetDecision) -> None:
        """Delete the files of obsolete shards, write the chain, and update the revocations of the others."""
        store, plan = self.state.store, decision.plan
        if decision.skipped:
            return
        obsolete = {row.base for row in decision.obsolete}
        rows = (row for row in store.index.shards.current(plan.name) if row.base not in obsolete)
        current_paths = {file.path for row in rows for file in row.files}
        for row in decision.obsolete:
            _delete(store, (file for file in row.files if file.path not in current_paths))
            store.index.shards.retire(row)
        make_private_directory(store, decision.id)
        store.write_if_changed(f"{decision.id}/{CHAIN}", b"".join(map(pem.certificate, self._chain(plan))))
        if self.options.destination and decision.build:
            self.state.summary.notes.append(
                f"fleet {plan.name}: shards with private keys are written to {self.options.destination}; "
                "they leave this machine"
            )
        for row in decision.stay:
            if row.revoked != revocation_text(plan):
                record_revocations(store, plan, row)
                store.index.shards.update(replace(row, revoked=revocation_text(plan)))
        self.state.summary.notes += requirement_notes(plan)
        pool = plan.fleet.settings.key
        if pool is not None:
            self.state.summary.notes.append(
                f"fleet {plan.name}: {plan.fleet.settings.count:,} certificates share {pool.pool:,} keys; "
                "a peer that pins keys cannot distinguish them"
            )

    def prune(self, decisions: Sequence[FleetDecision]) -> None:
        """Delete the fleets that are not in the profile if --prune is set, or else report them."""
        store, summary = self.state.store, self.state.summary
        names = {one.plan.name for one in decisions}
        for name in store.index.shards.fleets():
            if name in names:
                continue
            summary.add(_left(name, prunes=self.options.prune))
            if self.options.prune:
                rows = store.index.shards.current(name)
                _delete(store, (file for row in rows for file in row.files))
                _delete(store, (ShardFile(f"{DIRECTORY}/{name}/{one}", "", 0, 0) for one in (CHAIN, _POOL)))
                for row in rows:
                    store.index.shards.retire(row)


def cluster_notes(address: str, shared: Iterable[str]) -> Iterator[str]:
    """Yield which private keys leave this machine for a cluster."""
    yield f"the private keys of the fleets' certificates cross the network between {address} and its workers"
    for authority in sorted(shared):
        name = authority.partition("/")[2]
        yield f"the private key of {name} was sent to the workers of {address} (share_key)"


def _left(name: str, *, prunes: bool) -> Change:
    if prunes:
        return Change(f"{DIRECTORY}/{name}", Action.PRUNE, ("not in the profile",))
    return Change(f"{DIRECTORY}/{name}", Action.LEFT, (NOT_IN_PROFILE,))


def _run(
    worker: ShardWorker, tasks: Iterator[ShardTask], jobs: int
) -> Iterator[tuple[ShardTask, list[StagedFile]]]:
    """Build shards in worker processes, a few at a time; a single one in this process."""
    head = list(islice(tasks, 2))
    if len(head) < 2 or jobs == 1:
        for task in chain(head, tasks):
            yield task, worker.build(task)
        return
    yield from call_in_processes(worker.build, chain(head, tasks), count=jobs, ahead=jobs)


def make_private_directory(store: Store, path: str) -> None:
    """Create a directory below the environment with mode 0700, and those above it."""
    folder = store.folder
    for part in path.split("/"):
        folder /= part
        reject_link(folder)
        folder.mkdir(mode=0o700, exist_ok=True)


def _delete(store: Store, files: Iterable[ShardFile]) -> None:
    folders = set[Path]()
    for file in files:
        if is_url(file.path):
            delete(file.path)
            continue
        path = inside(store.folder, file.path)
        path.unlink(missing_ok=True)
        folders.update(list(path.parents)[:2])
    for folder in sorted(folders, reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
