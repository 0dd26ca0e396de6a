"""What a build and its preview have in common: clock, keys, plan, and what is to be done."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pkigen.environment import disk
from pkigen.environment.changes import Decider
from pkigen.environment.options import BuildOptions
from pkigen.environment.serials import SeededSerials, random_serial
from pkigen.environment.survey import Survey
from pkigen.errors import InputError
from pkigen.keys.entropy import Entropy, SeededEntropy, SystemEntropy
from pkigen.keys.pool import PooledKeys
from pkigen.keys.sources import FreshKeys, KeySource, SeededKeys
from pkigen.plan import Plan, Serials, plan
from pkigen.profile import Profile
from pkigen.store import Store

SEEDED_CLOCK = datetime(2026, 11, 1, tzinfo=UTC)
"""The clock of a seeded build that is given none: with another each day, nothing would repeat."""


@dataclass(frozen=True, slots=True)
class Session:
    """One run over one environment. ``entropy`` is where salts and signatures draw from."""

    plan: Plan
    keys: KeySource
    entropy: Entropy
    decider: Decider
    survey: Survey


def open_session(profile: Profile, folder: Path, options: BuildOptions, store: Store | None) -> Session:
    """Plan a profile and get ready to compare it with what stands in ``folder``."""
    if options.seed is not None and options.keys == "pool":
        raise InputError("--seed and --keys pool exclude each other: a pooled key follows no seed")
    clock = clock_of(options)
    keys, entropy = _sources(options)
    serials: Serials = random_serial
    if isinstance(entropy, SeededEntropy):
        serials = SeededSerials(entropy, store.index.generation if store else _never_issued)
    planned = plan(profile, clock, serials)
    renewals = options.renew | (store.index.renewals() if store else frozenset())
    decider = Decider(
        options, clock, keys.label, renewals, lambda entity: disk.read_key(folder, entity) is not None
    )
    return Session(planned, keys, entropy, decider, Survey(planned, store, decider, _salt(store)))


def clock_of(options: BuildOptions) -> datetime:
    """The instant that is "now" for a build, whole seconds of UTC."""
    if options.at is not None:
        return options.at.astimezone(UTC).replace(microsecond=0)
    return SEEDED_CLOCK if options.seed is not None else datetime.now(UTC).replace(microsecond=0)


def _sources(options: BuildOptions) -> tuple[KeySource, Entropy]:
    if options.seed is not None:
        return SeededKeys(options.seed), SeededEntropy(options.seed)
    return PooledKeys() if options.keys == "pool" else FreshKeys(), SystemEntropy()


def _never_issued(_entity: str) -> int:
    return 0


def _salt(store: Store | None) -> bytes:
    """The environment's secret salt, for digests of passphrases; drawn once."""
    if store is None:
        return b""
    held = store.index.meta("salt")
    if held is None:
        held = secrets.token_hex(16)
        if store.writable:
            store.index.set_meta("salt", held)
    return bytes.fromhex(held)
