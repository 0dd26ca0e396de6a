"""Profile -> Plan: every default applied, every time absolute, every serial drawn; nothing signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from pkigen.clock import Span, parse_span
from pkigen.model import Entity
from pkigen.plan.entities import Planner, Serials
from pkigen.profile import Profile

__all__ = ["CRL_LIFE", "Plan", "Serials", "plan"]

CRL_LIFE = parse_span("7d")


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


def plan(profile: Profile, clock: datetime, serials: Serials, crl_life: Span = CRL_LIFE) -> Plan:
    """The plan of a profile at an instant (UTC); problems that only show here raise InputError.

    ``crl_life`` is how long CRLs are good for of which the profile does not say it.
    """
    planner = Planner(profile, clock.replace(microsecond=0), serials, crl_life)
    return Plan(
        profile.name,
        profile.base_url,
        profile.requirements,
        planner.clock,
        planner.authorities(),
        profile.count,
        planner.certificates,
    )
