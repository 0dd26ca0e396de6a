"""Profile -> environment on disk: only what changed, and why."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
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
from pkigen.environment.build.session import clock_of, key_source
from pkigen.keys.sources import KeysAhead
from pkigen.model import Role
from pkigen.profile import Profile

if TYPE_CHECKING:
    from pkigen.environment.build.diff import Decision
    from pkigen.environment.build.session import Session
    from pkigen.environment.build.state import BuildState
    from pkigen.store import Store

_KEYS_AHEAD = 48


def build(
    profile: Profile,
    out: Path,
    options: BuildOptions | None = None,
    progress: Progress | None = None,
) -> BuildResult:
    """Bring the environment of ``profile`` below ``out`` up to date.

    Atomic for each entity: whenever it ends, each folder is wholly the old or wholly the new one.
    Raises InputError for what is wrong with the profile, before anything is written, and
    EnvironmentFailure for what the machine refuses.
    """
    started = time.perf_counter()
    options = options or BuildOptions()
    folder = out / profile.name
    with KeysAhead(key_source(options), options.jobs or available_jobs()) as keys:
        if options.only is None and not os.path.exists(folder):
            _announce_all(profile, keys)
        summary = _bring_up_to_date(profile, folder, options, keys, progress)
    return BuildResult(folder, summary, time.perf_counter() - started)


def _announce_all(profile: Profile, keys: KeysAhead) -> None:
    """Where nothing stands yet, every key will be new: begin before the rest is even imported."""
    for authority in profile.authorities:
        if authority.brought is None:
            keys.announce(f"{Role.AUTHORITY}/{authority.name}", authority.key)
    for spec in islice(profile.certificates(), _KEYS_AHEAD):
        keys.announce(f"{Role.CERTIFICATE}/{spec.name}", spec.key)


def _bring_up_to_date(
    profile: Profile, folder: Path, options: BuildOptions, keys: KeysAhead, progress: Progress | None
) -> Summary:
    from pkigen.environment.build.finalize import Finalizer
    from pkigen.environment.build.session import open_session
    from pkigen.environment.source_profile import with_requested_faults
    from pkigen.store import Store

    _check_plan(profile, options)
    with Store.open(folder, write=True) as store:
        profile = with_requested_faults(profile, store)
        session = open_session(profile, folder, options, store, keys.source)
        if profile.source is not None:
            # As JSON, since a path can hold what no text can.
            store.index.set_meta("profile", json.dumps(str(profile.source.resolve())))
        assembly = _assembly(session, store, options)
        total = len(session.plan.authorities) + session.plan.count
        with _telling(progress, total) as advance:
            _make(session, assembly, keys, options, advance)
        Finalizer(session, assembly, options).close()
        assembly.summary.notes += store.notes
    return assembly.summary


def _check_plan(profile: Profile, options: BuildOptions) -> None:
    """Find what only shows in the plan before anything is written."""
    from pkigen.environment.build.session import random_serial
    from pkigen.plan import plan
    from pkigen.plan.compliance import obey

    planned = plan(profile, clock_of(options), random_serial)
    obey(profile, planned.clock, planned.authorities, planned.certificates())
    if options.at is not None:
        # What another clock leads out of range is found by planning everything.
        for _ in planned.certificates():
            pass


def _assembly(session: Session, store: Store, options: BuildOptions) -> BuildState:
    from pkigen.environment.build.issuance import IssuanceWorker
    from pkigen.environment.build.state import BuildState

    repeatable = options.seed is not None
    workshop = IssuanceWorker(store.folder, session.keys, session.entropy, repeatable)
    authorities = {entity.id: entity for entity in session.plan.authorities}
    revoked = {found.entity_id for authority in authorities for found in store.index.revocations(authority)}
    return BuildState(store, session.decider, workshop, authorities, session.keys.label, revoked=revoked)


def _make(
    session: Session,
    assembly: BuildState,
    keys: KeysAhead,
    options: BuildOptions,
    advance: Callable[[int], None],
) -> None:
    """Authorities one after the other, then all else; keys for both are begun at once."""
    from pkigen.environment.build.worker_pool import IssuancePipeline

    authorities = list(assembly.tasks(session.survey.authorities()))
    others = assembly.tasks(_counted(session.survey.certificates(), advance))
    head = list(islice(others, _KEYS_AHEAD))
    advance(len(session.plan.authorities) - len(authorities))
    pipeline = IssuancePipeline(assembly.workshop, keys, options.jobs or available_jobs())
    pipeline.announce(chain(authorities, head))
    if authorities or head:
        assembly.load_authorities()
    for task in authorities:
        assembly.publish([pipeline.make_one(task)])
        advance(1)
    with closing(pipeline.make(chain(head, others))) as batches:
        for batch in batches:
            assembly.publish(batch)
            advance(len(batch))


def _counted(decided: Iterable[Decision], advance: Callable[[int], None]) -> Iterator[Decision]:
    """What is decided, with those entities counted as done that need nothing."""
    from pkigen.environment.build.diff import writes_files

    for found in decided:
        if not writes_files(found.change):
            advance(1)
        yield found


@contextmanager
def _telling(progress: Progress | None, total: int) -> Iterator[Callable[[int], None]]:
    if progress is None:
        yield lambda steps: None
        return
    progress.start(total, "certificates")
    try:
        yield progress.advance
    finally:
        progress.finish()
