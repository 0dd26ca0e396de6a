"""What a build knows before it looks at anything: its clock, and where its keys come from."""

from __future__ import annotations

from datetime import UTC, datetime

from pkigen.clock import parse_span
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import InputError
from pkigen.keys.pool import PooledKeys
from pkigen.keys.sources import FreshKeys, KeySource, SeededKeys

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
