"""Chooses faults at random that one certificate can have together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

from pkigen.errors import InputError
from pkigen.faults import FAULTS, Case, FaultRequest, Impossible, composed
from pkigen.plan.crl_distribution import CRL_LIFE
from pkigen.plan.entities import Planner
from pkigen.plan.negatives import named_after, with_faults
from pkigen.plan.placeholder import is_encodable
from pkigen.profile import Profile


def planned_case(profile: Profile, name: str, clock: datetime) -> Case:
    """Return a certificate of a profile with its authorities; InputError if there is none of this name."""
    planner = Planner(profile, clock.replace(microsecond=0), lambda *_: 1, CRL_LIFE)
    entity = next((one for one in planner.certificates() if one.name == name), None)
    if entity is None:
        raise InputError(f"the profile has no certificate '{name}'")
    above = {authority.id: authority for authority in planner.authorities}
    return Case(entity, tuple(above[issuer] for issuer in entity.issuers), planner.clock, entity)


def random_faults(
    case: Case, count: int, random: Random, candidates: Sequence[FaultRequest] = ()
) -> tuple[FaultRequest, ...]:
    """Return ``count`` faults that a case can have together, in the order of the catalog.

    ``candidates`` are all faults by default. Raises InputError if not enough of them fit together.
    """
    known = list(candidates) or [FaultRequest(one) for one in FAULTS.values()]
    chosen = list[FaultRequest]()
    for one in random.sample(known, len(known)):
        if len(chosen) == count:
            break
        if _fits(case, chosen, one):
            chosen.append(one)
    if len(chosen) < count:
        raise InputError(f"no {count} faults fit together on {case.entity.name}; choose a smaller number")
    places = {fault: place for place, fault in enumerate(FAULTS)}
    return tuple(sorted(chosen, key=lambda one: places[one.type.id]))


def _fits(case: Case, chosen: Sequence[FaultRequest], one: FaultRequest) -> bool:
    """Return whether a case can have one fault in addition to the chosen ones."""
    try:
        for other in chosen:
            composed(case, (other, one))
        faults = (*chosen, one)
        made = with_faults(named_after(case, "random", lambda *_: 1), faults, "", lambda *_: 1)
        made_case = composed(case, faults)
    except Impossible:
        return False
    entities = {entity.id: entity for entity in (made.entity, *made.copies, *made_case.authorities)}
    return all(is_encodable(entity, entities) for entity in (made.entity, *made.copies))
