"""State that a build and its dry run share: clock, key source, plan, and the decision per entity."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pkigen.clock import parse_span
from pkigen.environment.build.diff import PlanDiff
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.build.reissue_reasons import ReissueDecider
from pkigen.environment.published import stored_keys
from pkigen.errors import InputError
from pkigen.keys.entropy import Entropy, SeededEntropy, SystemEntropy
from pkigen.keys.sources import FreshKeys, KeySource, PooledKeys, SeededKeys
from pkigen.plan import CRL_LIFE, Plan, Serials, plan
from pkigen.profile import Profile
from pkigen.store import Store


@dataclass(frozen=True, slots=True)
class Session:
    """One run over one environment. ``entropy`` is where salts and signatures draw from."""

    plan: Plan
    keys: KeySource
    entropy: Entropy
    decider: ReissueDecider
    survey: PlanDiff


def open_session(
    profile: Profile, folder: Path, options: BuildOptions, store: Store | None, keys: KeySource
) -> Session:
    """Plan a profile and get ready to compare it with what stands in ``folder``."""
    clock = clock_of(options)
    entropy = SystemEntropy() if options.seed is None else SeededEntropy(options.seed)
    serials: Serials = random_serial
    if isinstance(entropy, SeededEntropy):
        serials = SeededSerials(entropy, store.index.generation if store else _never_issued)
    frozen = options.seed is not None and options.at is None
    planned = plan(profile, clock, serials, FIXTURE_CRL_LIFE if frozen else CRL_LIFE)
    renewals = options.renew | (store.index.renewals() if store else frozenset())
    decider = ReissueDecider(
        options, clock, keys.label, renewals, lambda entity: stored_keys.read_key(folder, entity) is not None
    )
    return Session(planned, keys, entropy, decider, PlanDiff(planned, store, decider, _salt(store)))


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


SEEDED_CLOCK = datetime(2026, 11, 1, tzinfo=UTC)
"""The clock of a seeded build that is given none: with another each day, nothing would repeat."""


FIXTURE_CRL_LIFE = parse_span("397d")
"""How long CRLs at SEEDED_CLOCK are good for: as long as the certificates they are for."""


def clock_of(options: BuildOptions) -> datetime:
    """The instant that is "now" for a build, whole seconds of UTC."""
    if options.at is not None:
        return options.at.astimezone(UTC).replace(microsecond=0)
    return SEEDED_CLOCK if options.seed is not None else datetime.now(UTC).replace(microsecond=0)


def key_source(options: BuildOptions) -> KeySource:
    """Where new keys come from; InputError for options that exclude each other."""
    if options.seed is not None and options.keys == "pool":
        raise InputError("--seed and --keys pool exclude each other: a pooled key follows no seed")
    if options.seed is not None:
        return SeededKeys(options.seed)
    return PooledKeys() if options.keys == "pool" else FreshKeys()


_OCTETS = 16


def random_serial(_issuer: str, _owner: str, _index: int) -> int:
    """A serial from the system's randomness; its top bit is clear, so it takes 16 octets at most."""
    return _serial(secrets.token_bytes(_OCTETS))


class SeededSerials:
    """Serials that repeat: they follow from the seed, who signs, who is signed, and how often.

    ``generation`` tells how many times an entity was issued before.
    """

    def __init__(self, entropy: Entropy, generation: Callable[[str], int]) -> None:
        self._entropy = entropy
        self.generation = generation

    def __call__(self, issuer: str, owner: str, index: int) -> int:
        """The serial of the next certificate of ``owner``."""
        times = self.generation(owner)
        return _serial(self._entropy.read(_OCTETS, "serial", issuer, owner, str(index), str(times)))


def _serial(octets: bytes) -> int:
    return (int.from_bytes(octets, "big") >> 1) or 1
