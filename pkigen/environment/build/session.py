"""The state that a build and its dry run share: clock, key source, serial numbers, plan and diff."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path

from pkigen.clock import parse_span
from pkigen.environment.build.diff import PlanDiff
from pkigen.environment.build.earlier_revocations import EarlierRevocations
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.build.reissue_reasons import ReissueDecider
from pkigen.environment.published import stored_keys
from pkigen.environment.source_profile import REQUESTED_FAULTS, with_requested_faults
from pkigen.errors import InputError
from pkigen.keys.entropy import Entropy, SeededEntropy, SystemEntropy
from pkigen.keys.sources import FreshKeys, KeySource, PooledKeys, SeededKeys
from pkigen.model import SHARED_KEY, Entity
from pkigen.plan import CRL_LIFE, Plan, Serials, plan
from pkigen.profile import Profile
from pkigen.store import Store, decoding

SEEDED_CLOCK = datetime(2026, 11, 1, tzinfo=UTC)
"""The clock of a seeded build without --at; with the current time, the output would change every day."""
FIXTURE_CRL_LIFE = parse_span("397d")
"""The default lifetime of CRLs at SEEDED_CLOCK: as long as that of certificates."""
_SERIAL_BYTES = 16


@dataclass(frozen=True, slots=True)
class PlannedProfile:
    """A profile with the faults that commands added, its plan, and where random values come from.

    ``store_version`` identifies the state of the store that the plan depends on.
    """

    profile: Profile
    plan: Plan
    entropy: Entropy
    serials: Serials
    store_version: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Session:
    """One run over one environment. ``entropy`` supplies salts and signatures."""

    plan: Plan
    keys: KeySource
    entropy: Entropy
    decider: ReissueDecider
    diff: PlanDiff


def plan_profile(profile: Profile, options: BuildOptions, store: Store | None) -> PlannedProfile:
    """Plan a profile for an environment; ``store`` is None if the environment does not exist yet."""
    if store is not None:
        profile = with_requested_faults(profile, store)
    entropy = SystemEntropy() if options.seed is None else SeededEntropy(options.seed)
    serials: Serials = random_serial
    if isinstance(entropy, SeededEntropy):
        serials = SeededSerials(entropy, store.index.generation if store else lambda _: 0)
    fixture = options.seed is not None and options.at is None
    planned = plan(profile, clock_of(options), serials, FIXTURE_CRL_LIFE if fixture else CRL_LIFE)
    if options.keys == "unique":
        planned = _with_unique_keys(planned)
    if options.only is not None:
        _check_only(planned, profile, options.only)
    return PlannedProfile(profile, planned, entropy, serials, store_version(store))


def _with_unique_keys(planned: Plan) -> Plan:
    """Return a plan in which no case shares the key of another one."""

    def with_own_key(entity: Entity) -> Entity:
        return replace(entity, key_of="") if entity.key_of.startswith(SHARED_KEY) else entity

    cases, certificates = tuple(map(with_own_key, planned.cases)), planned.certificates
    return replace(planned, cases=cases, certificates=lambda: map(with_own_key, certificates()))


def _check_only(planned: Plan, profile: Profile, pattern: str) -> None:
    """Raise InputError if --only matches nothing: most likely it is mistyped."""
    names = (entity.name for entity in (*planned.authorities, *planned.cases))
    certificates = (instance.name for body in profile.certificate_bodies for instance in body.instances())
    if not any(fnmatchcase(name, pattern) for name in chain(names, certificates)):
        raise InputError(f"--only '{pattern}' matches no CA and no certificate of the profile {profile.name}")


def store_version(store: Store | None) -> tuple[object, ...]:
    """Return the state of a store that a plan depends on; that of a new store equals that of no store."""
    if store is None:
        return None, 0
    return store.index.meta(REQUESTED_FAULTS), store.index.issued_count()


def open_session(
    planned: PlannedProfile, folder: Path, options: BuildOptions, store: Store | None, keys: KeySource
) -> Session:
    """Prepare the comparison of a plan with the environment in ``folder``."""
    if isinstance(planned.serials, SeededSerials) and store is not None:
        planned.serials.generation = store.index.generation
    decider = ReissueDecider(
        options,
        planned.plan.clock,
        keys.label,
        lambda entity: stored_keys.read_key(folder, entity) is not None,
        EarlierRevocations(store),
    )
    diff = PlanDiff(planned.plan, store, decider, stored_salt(store))
    return Session(planned.plan, keys, planned.entropy, decider, diff)


def clock_of(options: BuildOptions) -> datetime:
    """Return the build clock: UTC, whole seconds."""
    if options.at is not None:
        return options.at.astimezone(UTC).replace(microsecond=0)
    return SEEDED_CLOCK if options.seed is not None else datetime.now(UTC).replace(microsecond=0)


def key_source(options: BuildOptions) -> KeySource:
    """Return the source of new keys; InputError for options that exclude each other."""
    if options.seed is not None and options.keys == "pool":
        raise InputError("--seed and --keys pool exclude each other: keys of the pool are random")
    if options.seed is not None:
        return SeededKeys(options.seed)
    return PooledKeys() if options.keys == "pool" else FreshKeys()


def random_serial(_issuer: str, _owner: str, _index: int) -> int:
    """Return a random serial number: positive, 127 bits (RFC 5280, section 4.1.2.2)."""
    return _serial(secrets.token_bytes(_SERIAL_BYTES))


class SeededSerials:
    """Derives serial numbers from the seed, the issuer, the subject, and how often it was issued.

    ``generation`` returns how often an entity was issued before.
    """

    def __init__(self, entropy: Entropy, generation: Callable[[str], int]) -> None:
        self._entropy = entropy
        self.generation = generation

    def __call__(self, issuer: str, owner: str, index: int) -> int:
        """Return the serial number of the next certificate of ``owner``."""
        times = self.generation(owner)
        return _serial(self._entropy.read(_SERIAL_BYTES, "serial", issuer, owner, str(index), str(times)))


def _serial(data: bytes) -> int:
    return (int.from_bytes(data, "big") >> 1) or 1


def stored_salt(store: Store | None) -> bytes:
    """Return the environment's secret salt for digests of passphrases, which the first build draws."""
    if store is None:
        return b""
    salt = store.index.meta("salt")
    if salt is None:
        salt = secrets.token_hex(16)
        if store.writable:
            store.index.set_meta("salt", salt)
    with decoding("meta: salt"):
        return bytes.fromhex(salt)
