"""The cases that a profile requests, as entities of the plan: negatives, and certificates with faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pkigen.documents.fields import close_to
from pkigen.errors import InputError, Problem
from pkigen.faults import Case, Impossible
from pkigen.model import Entity, Role
from pkigen.profile import CertificateSpec, Profile

if TYPE_CHECKING:
    from pkigen.plan.entities import Planner
    from pkigen.plan.negatives import NegativeCase, SkippedCase
    from pkigen.profile.top_level import Negatives


_IN_FILE_NAMES = re.compile(r"[^a-z0-9-]+")


@dataclass
class Cases:
    """End entities with a fault, the authorities copied for them, and the skipped cases.

    ``replaced`` are the profile's certificates that have faults themselves, by name.
    """

    certificates: list[Entity] = field(default_factory=list)
    authorities: list[Entity] = field(default_factory=list)
    replaced: dict[str, Entity] = field(default_factory=dict)
    passed: tuple[SkippedCase, ...] = ()

    @property
    def entities(self) -> tuple[Entity, ...]:
        """Every end entity with a fault."""
        return (*self.replaced.values(), *self.certificates)

    def among(self, certificates: Iterable[Entity]) -> Iterator[Entity]:
        """Yield the profile's certificates, faulty ones replacing originals, then the other cases."""
        if self.replaced:
            certificates = (self.replaced.get(entity.name, entity) for entity in certificates)
        yield from certificates
        yield from self.certificates

    def add(self, case: NegativeCase | SkippedCase) -> None:
        """Add a case or a skipped case."""
        from pkigen.plan.negatives import NegativeCase

        if isinstance(case, NegativeCase):
            self.certificates += (case.entity, *case.twins)
            self.authorities += case.copies[::-1]
        else:
            self.passed = (*self.passed, case)


def cases_of(profile: Profile, planner: Planner) -> Cases:
    """Return every case of a profile; raise InputError for unknown names and for impossible cases."""
    cases, problems = Cases(), list[Problem]()
    above = {entity.id: entity for entity in planner.authorities}

    def case(spec: CertificateSpec) -> Case:
        entity = planner.certificate(spec)
        return Case(entity, tuple(above[issuer] for issuer in entity.issuers), planner.clock, entity)

    problems += _with_faults(profile, planner, cases, case)
    bases = _bases(profile, planner) if profile.negatives else {}
    for number, request in enumerate(profile.negatives):
        place = ("negatives", number)
        spec = bases.get(request.of)
        if request in profile.negatives[:number]:
            problems.append(profile.top_problem(place, "this is asked for twice"))
        elif spec is None:
            problems.append(_unknown(profile, (*place, "of"), request.of))
        elif spec.faults:
            words = f"'{request.of}' has a fault itself, and a case has one wrong thing"
            problems.append(profile.top_problem((*place, "of"), words))
        else:
            problems += _negatives(profile, planner, cases, case(spec), spec, request, number)
    problems += _repeated(profile, cases)
    if problems:
        raise InputError(problems)
    return cases


def _with_faults(
    profile: Profile, planner: Planner, cases: Cases, case: Callable[[CertificateSpec], Case]
) -> Iterator[Problem]:
    """Add the profile's certificates that have faults of their own, and yield the problems."""
    for spec in profile.faulty():
        from pkigen.plan.negatives import with_faults

        try:
            made = with_faults(case(spec), spec.faults, spec.valid.text, planner.serial)
        except Impossible as error:
            yield profile.problem(spec, ("faults",), str(error))
            continue
        cases.replaced[spec.name] = made.entity
        cases.certificates += made.twins
        cases.authorities += made.copies[::-1]


def _negatives(
    profile: Profile,
    planner: Planner,
    cases: Cases,
    base: Case,
    spec: CertificateSpec,
    request: Negatives,
    number: int,
) -> Iterator[Problem]:
    """Add the cases of one entry of ``negatives``, and yield the problems."""
    from pkigen.plan.compliance import set_of
    from pkigen.plan.negatives import negatives, negatives_of_faults

    text = spec.valid.text
    authority = "" if request.of == spec.name else request.of
    if request.against is None:
        if authority:
            words = f"'{authority}' is an authority; faults of the catalog are for certificates"
            yield profile.top_problem(("negatives", number, "of"), words)
            return
        groups = (request.faults,) if request.combine else tuple((one,) for one in request.faults)
        for negative in negatives_of_faults(base, groups, text, planner.serial):
            cases.add(negative)
        return
    try:
        against = set_of(profile, request.against, ("negatives", number, "against"))
    except InputError as error:
        yield from error.problems
        return
    if against.role is not None and against.is_for_authorities is not bool(authority):
        kind = "authorities" if against.is_for_authorities else "end-entity certificates"
        words = f"the role '{against.role}' is for {kind}; name one of them in 'of'"
        yield profile.top_problem(("negatives", number, "against"), words)
        return
    earlier = profile.negatives[:number]
    first = all(request.of != other.of or other.against is None for other in earlier)
    prefix = "" if first else f"{_IN_FILE_NAMES.sub('-', against.name)}."
    if authority:
        prefix = f"{authority}.{prefix}"
    if against.compares_peers:
        base = replace(base, peers=_peers(profile, planner, request.against.set))
    for negative in negatives(base, against, prefix, text, planner.serial, authority=authority):
        cases.add(negative)


def _peers(profile: Profile, planner: Planner, set_name: str) -> dict[str, tuple[Entity, ...]]:
    """Return the end entities without a fault that have roles of a set, by role."""
    peers = dict[str, list[Entity]]()
    for spec in profile.with_requirements():
        if not isinstance(spec, CertificateSpec) or spec.faults:
            continue
        for reference in spec.requirements:
            if reference.set == set_name and reference.role is not None:
                peers.setdefault(reference.role, []).append(planner.certificate(spec))
    return {role: tuple(entities) for role, entities in peers.items()}


def _bases(profile: Profile, planner: Planner) -> dict[str, CertificateSpec]:
    """Return the certificates that ``negatives`` names; for an authority, the first certificate below it."""
    names = {request.of for request in profile.negatives}
    bases = {spec.name: spec for spec in profile.certificates() if spec.name in names}
    missing = {f"{Role.AUTHORITY}/{one.name}": one.name for one in profile.authorities} if names else {}
    missing = {entity: name for entity, name in missing.items() if name in names - bases.keys()}
    for spec in profile.certificates() if missing else ():
        if spec.faults:
            continue
        for issuer in planner.certificate(spec).issuers:
            if issuer in missing:
                bases[missing.pop(issuer)] = spec
        if not missing:
            break
    return bases


def _unknown(profile: Profile, path: tuple[str | int, ...], name: str) -> Problem:
    authorities = tuple(spec.name for spec in profile.authorities)
    if name in authorities:
        words = f"no certificate without a fault is issued below the authority '{name}'"
        return profile.top_problem(path, words)
    close = close_to(name, (*(spec.name for spec in profile.certificates()), *authorities))
    hint = f" (did you mean '{close}'?)" if close else ""
    return profile.top_problem(path, f"no certificate or authority is called '{name}'{hint}")


def _repeated(profile: Profile, cases: Cases) -> list[Problem]:
    """Return a problem for each case with the name of another certificate."""
    if not cases.certificates:
        return []
    seen = {spec.name.lower() for spec in profile.certificates()}
    for entity in cases.certificates:
        if entity.name.lower() in seen:
            words = f"two certificates would be called '{entity.name}'"
            return [profile.top_problem(("negatives",), words)]
        seen.add(entity.name.lower())
    return []
