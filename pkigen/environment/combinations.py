"""Builds an environment with combinations of faults: those of the shipped profile ``negative``."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from random import Random

from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.build.session import clock_of
from pkigen.environment.environment import Environment, open_environment
from pkigen.errors import InputError
from pkigen.faults import FAULTS, FaultRequest
from pkigen.plan.random_faults import planned_case, random_faults
from pkigen.profile import load
from pkigen.profile.top_level import Negatives

_PROFILE, _CERTIFICATE = "negative", "sensor"
_STAGES = ("parse", "path", "name")
"""Faults of other stages are in files or need a server."""
_MOST_FAULTS = 3


def random_combinations(count: int, seed: str) -> list[tuple[str, ...]]:
    """Return the ids of combinations of two or three faults, chosen at random from a seed."""
    random = Random(seed)  # noqa: S311  # not for secrets
    case = planned_case(load(_PROFILE), _CERTIFICATE, clock_of(BuildOptions()))
    candidates = [FaultRequest(one) for one in FAULTS.values() if one.stage in _STAGES]
    combinations = list[tuple[str, ...]]()
    for _ in range(count):
        faults = random_faults(case, random.randint(2, _MOST_FAULTS), random, candidates)
        combinations.append(tuple(one.type.id for one in faults))
    return combinations


def build_combinations(folder: Path, combinations: Sequence[tuple[str, ...]]) -> Environment:
    """Build a case for each combination, without those that cannot be issued."""
    profile = copy.copy(load(_PROFILE))
    remaining = list(dict.fromkeys(combinations))
    while True:
        profile.negatives = tuple(
            Negatives(of=_CERTIFICATE, faults=tuple(FaultRequest(FAULTS[one]) for one in group), combine=True)
            for group in remaining
        )
        try:
            return open_environment(build(profile, folder, BuildOptions(keys="pool")).folder)
        except InputError as error:
            failed = [
                one for one in remaining if f"the fault {'+'.join(one)} cannot be applied" in str(error)
            ]
            if not failed:
                raise
            remaining = [one for one in remaining if one not in failed]
