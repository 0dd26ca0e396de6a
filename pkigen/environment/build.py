"""Profile -> environment on disk: only what changed, and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

from pkigen.environment.assembly import Assembly
from pkigen.environment.closing import Closing
from pkigen.environment.options import BuildOptions, BuildResult, Progress
from pkigen.environment.pipeline import Pipeline, available_jobs
from pkigen.environment.serials import random_serial
from pkigen.environment.session import Session, clock_of, open_session
from pkigen.environment.survey import Decided, makes
from pkigen.environment.work import Workshop
from pkigen.plan import plan
from pkigen.profile import Profile
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
    planned = plan(profile, clock_of(options), random_serial)
    if options.at is not None:
        # Whatever another clock leads out of range shows before anything is written.
        for _ in planned.certificates():
            pass
    folder = out / profile.name
    with Store.open(folder, write=True) as store:
        session = open_session(profile, folder, options, store)
        if profile.source is not None:
            store.index.set_meta("profile", str(profile.source.resolve()))
        assembly = _assembly(session, store, options)
        total = len(session.plan.authorities) + session.plan.count
        with _telling(progress, total) as advance:
            _make(session, assembly, options, advance)
        Closing(session, assembly, options).close()
        assembly.summary.notes += store.notes
    return BuildResult(folder, assembly.summary, time.perf_counter() - started)


def _assembly(session: Session, store: Store, options: BuildOptions) -> Assembly:
    repeatable = options.seed is not None
    workshop = Workshop(store.folder, session.keys, session.entropy, repeatable)
    authorities = {entity.id: entity for entity in session.plan.authorities}
    revoked = {found.entity_id for authority in authorities for found in store.index.revocations(authority)}
    return Assembly(store, session.decider, workshop, authorities, session.keys.label, revoked=revoked)


def _make(
    session: Session, assembly: Assembly, options: BuildOptions, advance: Callable[[int], None]
) -> None:
    """Authorities one after the other, then all else; keys for both are begun at once."""
    authorities = list(assembly.tasks(session.survey.authorities()))
    others = assembly.tasks(_counted(session.survey.certificates(), advance))
    head = list(islice(others, _KEYS_AHEAD))
    advance(len(session.plan.authorities) - len(authorities))
    with Pipeline(assembly.workshop, options.jobs or available_jobs()) as pipeline:
        pipeline.generate_ahead(chain(authorities, head))
        if authorities or head:
            assembly.load_authorities()
        for task in authorities:
            assembly.publish([pipeline.make_one(task)])
            advance(1)
        for batch in pipeline.make(chain(head, others)):
            assembly.publish(batch)
            advance(len(batch))


def _counted(decided: Iterable[Decided], advance: Callable[[int], None]) -> Iterator[Decided]:
    """What is decided, with those entities counted as done that need nothing."""
    for found in decided:
        if not makes(found.change):
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
