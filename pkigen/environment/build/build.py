"""Builds the environment of a profile: issues what is missing or changed, and nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from pkigen.environment.build.options import (
    BuildOptions,
    BuildResult,
    Progress,
    Summary,
    available_jobs,
)
from pkigen.environment.build.session import key_source
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.keys.sources import KeyPrefetcher
from pkigen.model import Role
from pkigen.profile import Profile

if TYPE_CHECKING:
    from pkigen.environment.build.diff import Decision
    from pkigen.environment.build.issuance import IssuanceTask
    from pkigen.environment.build.session import PlannedProfile, Session
    from pkigen.environment.build.state import BuildState
    from pkigen.store import Store

_PREFETCHED_KEYS = 48
_LOCK_TIMEOUT = 5.0
"""Seconds to wait for a server that issues a certificate, or for another command."""
_LEVEL_BATCH = 64
"""The largest number of authorities that one flush commits."""


def build(
    profile: Profile,
    out: Path,
    options: BuildOptions | None = None,
    progress: Progress | None = None,
) -> BuildResult:
    """Build the environment of ``profile`` in the directory ``out``, or update it.

    Atomic for each entity: a build that ends early, even by SIGKILL, leaves each entity's directory
    either old or new. Raises InputError for errors in the profile, before anything is written, and
    EnvironmentFailure for errors of the system.
    """
    started = time.perf_counter()
    options = options or BuildOptions()
    folder = out / profile.name
    with KeyPrefetcher(key_source(options), options.jobs or available_jobs()) as keys:
        if options.only is None and not os.path.exists(folder):
            _prefetch_all(profile, keys)
        summary = _update(profile, folder, options, keys, progress)
    return BuildResult(folder, summary, time.perf_counter() - started)


def _prefetch_all(profile: Profile, keys: KeyPrefetcher) -> None:
    """Start generating keys before planning, and before the modules that it needs are imported.

    In a new environment every key will be new.
    """
    for authority in profile.authorities:
        if authority.imported is None:
            keys.request(f"{Role.AUTHORITY}/{authority.name}", authority.key)
    for spec in islice(profile.certificates(), _PREFETCHED_KEYS):
        if spec.given_key is None:
            keys.request(f"{Role.CERTIFICATE}/{spec.name}", spec.key)


def _update(
    profile: Profile, folder: Path, options: BuildOptions, keys: KeyPrefetcher, progress: Progress | None
) -> Summary:
    from pkigen.environment.build import up_to_date
    from pkigen.environment.build.finalize import finalize_build
    from pkigen.environment.build.replacements import (
        check_enrolled_names,
        check_replacements,
        save_authorities,
    )
    from pkigen.environment.build.session import open_session, store_version
    from pkigen.environment.source_profile import record_profile
    from pkigen.store import Store

    planned = _planned_without_lock(profile, folder, options)
    with Store.open(folder, write=True, patience=_LOCK_TIMEOUT) as store:
        if planned.store_version != store_version(store):
            # Another build or command changed the environment since.
            planned = _plan_and_check(profile, options, store)
        session = open_session(planned, folder, options, store, keys.source)
        authorities = session.diff.authorities()
        check_enrolled_names(store, session.plan)
        announcements = check_replacements(store, profile, authorities, options)
        record_profile(store, profile)
        save_authorities(store, authorities)
        state = _build_state(session, store, options)
        fleets = sum(fleet.fleet.settings.count for fleet in session.plan.fleets)
        total = len(session.plan.authorities) + session.plan.count + fleets
        with _reporting(progress, total) as advance:
            _issue(session, state, authorities, keys, options, advance)
            if fleets or store.index.shards.fleets():
                from pkigen.environment.fleets.build import build_fleets

                keys.end()
                build_fleets(session, state, options, advance)
        finalize_build(session, state, options)
        state.summary.notes += [*announcements, *state.lifetimes.notes(), *store.notes]
        up_to_date.record(profile, options, session.plan, state)
    return state.summary


def _planned_without_lock(profile: Profile, folder: Path, options: BuildOptions) -> PlannedProfile:
    """Plan and check before the environment is created or locked, so that errors leave no trace."""
    from pkigen.store import Store

    if not Store.exists(folder):
        return _plan_and_check(profile, options, None)
    try:
        with Store.open(folder, write=False) as store:
            return _plan_and_check(profile, options, store)
    except EnvironmentFailure:
        # Only opening for writing can repair or upgrade the store, or report the actual problem.
        return _plan_and_check(profile, options, None)


def _plan_and_check(profile: Profile, options: BuildOptions, store: Store | None) -> PlannedProfile:
    from pkigen.environment.build.session import plan_profile
    from pkigen.plan.compliance import obey

    planned = plan_profile(profile, options, store)
    plan = planned.plan
    obey(planned.profile, plan.clock, plan.authorities, plan.certificates(), plan.fleets)
    if plan.fleets:
        from pkigen.environment.fleets.formats import require_libraries

        require_libraries(name for fleet in plan.fleets for name in fleet.fleet.settings.to)
    _check_engine(options)
    if options.at is not None:
        # Times that are out of range at this clock raise InputError.
        for _ in plan.certificates():
            pass
    if options.renew:
        _check_renewals(planned, options.renew)
    return planned


def _check_engine(options: BuildOptions) -> None:
    """Raise InputError for a scheduler or a destination that cannot be used."""
    if options.scheduler:
        from pkigen.environment.fleets.cluster import check_scheduler

        check_scheduler(options.scheduler, insecure=options.insecure_scheduler)
    if options.destination:
        from pkigen.environment.fleets.remote import check_destination

        check_destination(options.destination)


def _check_renewals(planned: PlannedProfile, renewals: frozenset[str]) -> None:
    entities = {entity.id for entity in (*planned.plan.authorities, *planned.plan.cases)}
    entities |= {f"{Role.CERTIFICATE}/{spec.name}" for spec in planned.profile.certificates()}
    fleets = planned.profile.fleets
    missing = [
        one
        for one in sorted(renewals - entities)
        if not any(fleet.index_of(one.partition("/")[2]) for fleet in fleets)
    ]
    if missing:
        raise InputError(f"cannot renew {', '.join(missing)}: no longer in the profile")


def _build_state(session: Session, store: Store, options: BuildOptions) -> BuildState:
    from pkigen.environment.build.due_dates import DueDates
    from pkigen.environment.build.issuance import IssuanceWorker
    from pkigen.environment.build.path_defects import PathDefects
    from pkigen.environment.build.state import BuildState

    worker = IssuanceWorker(store.folder, session.keys, session.entropy, seeded=options.seed is not None)
    authorities = {entity.id: entity for entity in session.plan.authorities}
    defects, due = PathDefects(session.plan), DueDates(session.plan.clock, session.plan.fixed_times)
    return BuildState(store, session.decider, worker, authorities, session.keys.label, defects, due)


def _issue(
    session: Session,
    state: BuildState,
    decisions: Sequence[Decision],
    keys: KeyPrefetcher,
    options: BuildOptions,
    advance: Callable[[int], None],
) -> None:
    """Issue the authorities level by level, then the end entities in batches; start all keys at once."""
    from pkigen.environment.build.worker_pool import IssuancePipeline

    authorities = list(state.tasks(decisions))
    others = state.tasks(_counted(session.diff.certificates(), advance))
    head = list(islice(others, _PREFETCHED_KEYS))
    advance(len(session.plan.authorities) - len(authorities))
    pipeline = IssuancePipeline(state.worker, keys, options.jobs or available_jobs())
    pipeline.prefetch_keys(chain(authorities, head))
    if authorities or head:
        state.load_authorities()
    for level in _levels(authorities):
        state.publish([pipeline.issue_one(task) for task in level])
        advance(len(level))
    with closing(pipeline.issue(chain(head, others))) as batches:
        for batch in batches:
            state.publish(batch)
            advance(len(batch))


def _levels(authorities: Iterable[IssuanceTask]) -> Iterator[Sequence[IssuanceTask]]:
    """Group authorities, issuers first; none needs the certificate or the key of another of its group."""
    levels = dict[str, int]()
    groups: dict[int, list[IssuanceTask]] = {}
    for task in authorities:
        entity = task.entity
        needed = {*entity.issuers, entity.key_of, *(plan.issuer_id for plan in entity.certificates)}
        levels[entity.id] = 1 + max((levels.get(one, 0) for one in needed), default=0)
        groups.setdefault(levels[entity.id], []).append(task)
    for _, group in sorted(groups.items()):
        yield from (group[start : start + _LEVEL_BATCH] for start in range(0, len(group), _LEVEL_BATCH))


def _counted(decisions: Iterable[Decision], advance: Callable[[int], None]) -> Iterator[Decision]:
    """Pass decisions on and count those that need no files as done."""
    from pkigen.environment.build.diff import writes_files

    for decision in decisions:
        if not writes_files(decision.change):
            advance(1)
        yield decision


@contextmanager
def _reporting(progress: Progress | None, total: int) -> Iterator[Callable[[int], None]]:
    if progress is None:
        yield lambda steps: None
        return
    progress.start(total, "certificates")
    try:
        yield progress.advance
    finally:
        progress.finish()
