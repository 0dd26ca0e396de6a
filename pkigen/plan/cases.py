"""The negative cases that a profile asks for, as entities of the plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkigen.errors import InputError, Problem
from pkigen.faults import Case
from pkigen.model import Entity
from pkigen.plan.negatives import NegativeCase, Passed, negatives
from pkigen.profile import CertificateSpec, Profile
from pkigen.profile.asked import close_to

if TYPE_CHECKING:
    from pkigen.plan.entities import Planner


@dataclass
class Cases:
    """End entities with a fault, the authorities copied for them, and what could not be made."""

    certificates: list[Entity] = field(default_factory=list)
    authorities: list[Entity] = field(default_factory=list)
    passed: tuple[Passed, ...] = ()


def cases_of(profile: Profile, planner: Planner) -> Cases:
    """Every case of the profile's ``negatives``; InputError for those that name what is not there."""
    cases = Cases()
    if not profile.negatives:
        return cases
    from pkigen.plan.obedience import set_of

    bases, problems = _bases(profile), list[Problem]()
    above = {entity.id: entity for entity in planner.authorities}
    for number, asked in enumerate(profile.negatives):
        place = ("negatives", number)
        if asked in profile.negatives[:number]:
            problems.append(profile.top_problem(place, "this is asked for twice"))
            continue
        spec = bases.get(asked.of)
        if spec is None:
            problems.append(_unknown(profile, (*place, "of"), asked.of))
            continue
        try:
            against = set_of(profile, asked.against, (*place, "against"))
        except InputError as error:
            problems += error.problems
            continue
        entity = planner.certificate(spec)
        authorities = tuple(above[issuer] for issuer in entity.issuers)
        base = Case(entity, authorities, planner.clock, entity)
        first = all(asked.of != earlier.of for earlier in profile.negatives[:number])
        prefix = "" if first else f"{against.name}."
        for found in negatives(base, against, prefix, spec.valid.text, planner.serial):
            if isinstance(found, NegativeCase):
                cases.certificates.append(found.entity)
                cases.authorities += found.copies[::-1]
            else:
                cases.passed = (*cases.passed, found)
    problems += _repeated(profile, cases)
    if problems:
        raise InputError(problems)
    return cases


def _bases(profile: Profile) -> dict[str, CertificateSpec]:
    """The certificates that ``negatives`` name."""
    wanted = {asked.of for asked in profile.negatives}
    return {spec.name: spec for spec in profile.certificates() if spec.name in wanted}


def _unknown(profile: Profile, path: tuple[str | int, ...], name: str) -> Problem:
    close = close_to(name, tuple(spec.name for spec in profile.certificates()))
    hint = f" (did you mean '{close}'?)" if close else ""
    return profile.top_problem(path, f"no certificate is called '{name}'{hint}")


def _repeated(profile: Profile, cases: Cases) -> list[Problem]:
    """Cases that have the name of another certificate: the same set was asked for twice, mostly."""
    seen = {spec.name.lower() for spec in profile.certificates()}
    for entity in cases.certificates:
        if entity.name.lower() in seen:
            words = f"two certificates would be called '{entity.name}'"
            return [profile.top_problem(("negatives",), words)]
        seen.add(entity.name.lower())
    return []
