"""Checks a plan against the profile's requirement sets before anything is issued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from pkigen.cases.case import common_name
from pkigen.documents import limits
from pkigen.documents.set_reference import SetReference
from pkigen.errors import InputError, Location, Problem
from pkigen.model import Entity, Role
from pkigen.plan.fleets import FleetPlan
from pkigen.plan.placeholder import planned
from pkigen.profile import AuthoritySpec, CertificateSpec, Profile
from pkigen.x509 import Certificate

# A profile without requirement sets needs none of their modules.
if TYPE_CHECKING:
    from pkigen.requirements import Finding, RequirementSet
    from pkigen.requirements.subject import PeerGroup


def load_sets(profile: Profile) -> tuple[RequirementSet, ...]:
    """Return the requirement sets that a profile names; raise InputError for an invalid or missing set."""
    sets: list[RequirementSet] = []
    problems = list[Problem]()
    for number, reference in enumerate(profile.requirements):
        try:
            sets.append(set_of(profile, reference, ("requirements", number)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(sets)


@lru_cache(maxsize=1)
def own_sets(profile: Profile) -> dict[str, dict[str, RequirementSet]]:
    """Return the sets of single entities by reference, by entity id; InputError as above.

    The sets of the last profile are kept, since a build needs them several times.
    """
    loaded: dict[SetReference, RequirementSet] = {}
    sets: dict[str, dict[str, RequirementSet]] = {}
    problems = list[Problem]()
    for spec in profile.with_requirements():
        for number, reference in enumerate(spec.requirements):
            if reference in loaded:
                continue
            try:
                loaded[reference] = set_of(profile, reference, ())
            except InputError as error:
                path = ("requirements", number)
                problems += [
                    p if p.location else profile.problem(spec, path, p.message) for p in error.problems
                ]
        if not problems:
            role = Role.AUTHORITY if isinstance(spec, AuthoritySpec) else Role.CERTIFICATE
            sets[f"{role}/{spec.name}"] = {str(one): loaded[one] for one in spec.requirements}
        elif len(problems) >= limits.PROBLEMS:
            break
    if problems:
        raise InputError(problems[: limits.PROBLEMS])
    return sets


def sets_named(profile: Profile) -> tuple[RequirementSet, ...]:
    """Return the sets that a profile's certificates satisfy, and the sets that its negative cases violate."""
    sets = {one.name: one for one in load_sets(profile)}
    for own in own_sets(profile).values():
        sets |= {one.name: one for one in own.values()}
    for number, negatives in enumerate(profile.negatives):
        if negatives.against is not None:
            one = set_of(profile, negatives.against, ("negatives", number, "against"))
            sets.setdefault(one.name, one)
    return tuple(sets.values())


def set_of(profile: Profile, reference: SetReference, path: tuple[str | int, ...]) -> RequirementSet:
    """Return the requirement set named at a path of the profile, relative to the file that contains it.

    With an empty path, the problems of the reference itself have no location.
    """
    from pkigen.documents.yaml_tree import folder_of
    from pkigen.requirements import load_set

    try:
        return load_set(reference, folder_of(reference.set, profile.folder))
    except InputError as error:
        if not path:
            raise
        problems = [p if p.location else profile.top_problem(path, p.message) for p in error.problems]
        raise InputError(problems) from error


class ComplianceChecker:
    """Checks end entities against requirement sets, one after the other."""

    def __init__(self, profile: Profile, authorities: Iterable[Entity], clock: datetime) -> None:
        self._profile = profile
        self._clock = clock
        self._entities = {entity.id: entity for entity in authorities}
        self._certificates = {entity.id: self._certificate(entity) for entity in self._entities.values()}
        self._seen = Counter[str]()
        self._peers: dict[str, dict[str, PeerGroup]] | None = None

    def compare(self, entities: Iterable[Entity], own: Mapping[str, Mapping[str, RequirementSet]]) -> None:
        """Compare the entities with each other where their sets require it."""
        peers: dict[str, dict[str, PeerGroup]] = {}
        for entity in entities:
            for one in own.get(entity.id, {}).values():
                if one.role is not None and entity.fault is None:
                    from pkigen.requirements.subject import PeerGroup

                    group = peers.setdefault(one.declared_name, {}).setdefault(one.role, PeerGroup())
                    group.certificates.append(self._certificate(entity))
        self._peers = peers

    def findings(self, entity: Entity, sets: Iterable[RequirementSet]) -> Iterator[Finding]:
        """Yield the findings of each set for a planned entity."""
        from pkigen.requirements import CheckInput, findings

        data = CheckInput(
            now=self._clock,
            certificate=self._certificate(entity),
            planned_chain=tuple(self._certificates[issuer] for issuer in entity.issuers),
            sharing=self._seen,
            peers=self._peers,
            issued=False,
            authority=entity.role is Role.AUTHORITY,
        )
        for one in sets:
            yield from findings(one, data)

    def remember(self, entity: Entity) -> None:
        """Record the common name of an end entity as used."""
        name = common_name(entity.certificates[0].subject)
        if name is not None:
            self._seen[name.lower()] += 1

    def _certificate(self, entity: Entity) -> Certificate:
        return planned(entity, self._entities.values())

    def problem(self, spec: AuthoritySpec | CertificateSpec, finding: Finding) -> Problem:
        """Return a failed requirement as a problem of the profile, at the line that causes it."""
        outcome, requirement = finding.outcome, finding.requirement
        reason = outcome.reason or f"found {outcome.actual}, expected {outcome.expected}"
        words = f"{finding.set.name} requires: {requirement.says} ({requirement.id}; {reason})"
        if finding.subject is not None:
            return self._problem_above(finding, words)
        blame = outcome.blame
        if blame[:1] == ("crl_distribution_points",) and not self._profile.says(spec, str(blame[0])):
            return self._profile.top_problem(("base_url",), words)
        return self._profile.problem(spec, blame, words)

    def _problem_above(self, finding: Finding, words: str) -> Problem:
        """Return a problem of an authority's certificate."""
        for spec in self._profile.authorities:
            if self._certificates.get(f"authorities/{spec.name}") == finding.subject:
                return self._profile.problem(spec, finding.outcome.blame, words)
        return Problem(words)


def _bases(profile: Profile) -> dict[str, list[RequirementSet]]:
    """Return the additional sets that the bases of negative cases must satisfy."""
    bases: dict[str, list[RequirementSet]] = {}
    for number, negatives in enumerate(profile.negatives):
        if negatives.against is not None and negatives.against not in profile.requirements:
            one = set_of(profile, negatives.against, ("negatives", number, "against"))
            bases.setdefault(negatives.of, []).append(one)
    return bases


def _check_templates(profile: Profile) -> None:
    """Raise InputError if a template of requested certificates names a set that does not exist."""
    for template in profile.templates:
        instance, spec = template.sample()
        for number, reference in enumerate(spec.requirements):
            try:
                set_of(profile, reference, ())
            except InputError as error:
                place = ("requirements", number)
                raise InputError(
                    [
                        p if p.location else template.body.problem(instance, place, p.message)
                        for p in error.problems
                    ]
                ) from error


def _samples(
    profile: Profile, fleets: Sequence[FleetPlan], sets: Sequence[RequirementSet]
) -> Iterator[tuple[CertificateSpec, Entity, Sequence[RequirementSet]]]:
    """Yield a sample of each fleet, and the sets of the profile and of the fleet itself.

    Raises InputError for a set that does not exist.
    """
    for plan in fleets:
        fleet, every = plan.fleet, list(sets)
        for number, reference in enumerate(fleet.specification(1).requirements):
            try:
                every.append(set_of(profile, reference, ()))
            except InputError as error:
                path = ("requirements", number)
                raise InputError(
                    [p if p.location else fleet.problem(path, p.message) for p in error.problems]
                ) from error
        for index in fleet.sample() if every else ():
            if plan.fault_of(index) is None:
                yield fleet.specification(index), plan.entity(index, 1), every


def requirement_notes(plan: FleetPlan) -> Iterator[str]:
    """Yield how many certificates of a fleet were checked against requirement sets, if there are any."""
    fleet, profile = plan.fleet, plan.planner.profile
    if profile.requirements or fleet.specification(1).requirements:
        checked, count = len(list(fleet.sample())), fleet.settings.count
        which = "all certificates" if checked == count else f"a sample of {checked} of {count:,} certificates"
        yield f"fleet {plan.name}: the requirements were checked on {which}, which share one template"


def obey(
    profile: Profile,
    clock: datetime,
    authorities: Iterable[Entity],
    certificates: Iterable[Entity],
    fleets: Sequence[FleetPlan] = (),
) -> None:
    """Check every entity without a fault against its sets; raise InputError for all problems.

    Recommendations do not cause errors. This check skips requirements on files and signatures. Of a fleet, it
    checks a sample.
    """
    _check_templates(profile)
    sets, own, bases = load_sets(profile), own_sets(profile), _bases(profile)
    samples = list(_samples(profile, fleets, sets))
    if not (sets or own or bases or samples):
        return
    from pkigen.requirements import Level

    authorities = tuple(authorities)
    compliance = ComplianceChecker(profile, authorities, clock)
    if any(one.compares_peers for sets_of_entity in own.values() for one in sets_of_entity.values()):
        certificates = tuple(certificates)
        compliance.compare(certificates, own)
    problems = list[Problem]()

    def check(
        spec: AuthoritySpec | CertificateSpec, entity: Entity, against: Iterable[RequirementSet]
    ) -> None:
        for finding in compliance.findings(entity, against):
            if finding.failed and finding.requirement.level is not Level.ADVICE:
                problems.append(compliance.problem(spec, finding))

    specs_of_authorities = {f"{Role.AUTHORITY}/{spec.name}": spec for spec in profile.authorities}
    for entity in authorities:
        authority = specs_of_authorities.get(entity.id)
        if authority is not None and entity.imported is None:
            every = (*own.get(entity.id, {}).values(), *bases.get(authority.name, ()))
            check(authority, entity, {one.name: one for one in every}.values())
    specs: Iterable[CertificateSpec | AuthoritySpec] = profile.certificates()
    for spec, entity in zip(specs, islice(certificates, profile.count), strict=True):
        assert isinstance(spec, CertificateSpec)
        if spec.faults:
            continue
        every = (*sets, *own.get(entity.id, {}).values(), *bases.get(spec.name, ()))
        check(spec, entity, {one.name: one for one in every}.values())
        compliance.remember(entity)
        if len(problems) >= limits.PROBLEMS:
            break
    for sample in samples:
        check(*sample)
    _raise_in_order(problems)


def _raise_in_order(problems: Sequence[Problem]) -> None:
    """Raise InputError for problems, if there are any, without duplicates and sorted by location."""
    if problems:
        unique = {(p.location, p.message): p for p in problems}
        in_order = sorted(unique.values(), key=lambda p: p.location or Location(""))
        raise InputError(in_order[: limits.PROBLEMS])
