"""Profile -> Plan: every default applied, every time absolute, every serial drawn; nothing signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pkigen.model import Entity
from pkigen.plan.entities import Planner, Serials
from pkigen.profile import Profile

__all__ = ["Plan", "Serials", "plan"]


@dataclass(frozen=True, slots=True)
class Plan:
    """One environment, fully explicit.

    ``authorities`` stand issuers before issued. ``certificates()`` gives the end entities one by
    one, in the profile's order, and can be called again; ``count`` is how many there are.
    """

    name: str
    base_url: str
    requirements: tuple[str, ...]
    clock: datetime
    authorities: tuple[Entity, ...]
    count: int
    certificates: Callable[[], Iterator[Entity]] = field(repr=False)


def plan(profile: Profile, clock: datetime, serials: Serials) -> Plan:
    """The plan of a profile at an instant (UTC); problems that only show here raise InputError."""
    planner = Planner(profile, clock.replace(microsecond=0), serials)
    return Plan(
        profile.name,
        profile.base_url,
        profile.requirements,
        planner.clock,
        planner.authorities(),
        profile.count,
        planner.certificates,
    )
