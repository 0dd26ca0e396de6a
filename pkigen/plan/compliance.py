"""Checks a plan against the profile's requirement sets before anything is issued."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from itertools import islice

from pkigen.asn1 import der
from pkigen.cases.case import common_name
from pkigen.documents import limits
from pkigen.errors import InputError, Location, Problem
from pkigen.issue import tbs_certificate
from pkigen.keys.kinds import KeyKind, parse_kind
from pkigen.keys.signing import algorithm_of
from pkigen.model import CertificatePlan, Entity
from pkigen.profile import AuthoritySpec, CertificateSpec, Profile
from pkigen.requirements import (
    CheckInput,
    Finding,
    Level,
    RequirementSet,
    findings,
    load_set,
)
from pkigen.x509 import Certificate

_RSA, _EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
_IDENTIFIER = bytes(20)
_NO_SIGNATURE = der.bit_string(bytes(32))


def placeholder(plan: CertificatePlan, kind: str, issuer_kind: str) -> Certificate:
    """The certificate of a plan, under a key of a kind, as an issuer with a key of a kind would make it."""
    algorithm = algorithm_of(parse_kind(issuer_kind), plan.signature)
    tbs = tbs_certificate(plan, _public_key(parse_kind(kind)), algorithm, _IDENTIFIER, _IDENTIFIER)
    return Certificate(der.sequence(tbs, algorithm, _NO_SIGNATURE))


@lru_cache(maxsize=64)
def _public_key(kind: KeyKind) -> bytes:
    """A SubjectPublicKeyInfo whose key is a number or a point of the right size."""
    if kind.family == "rsa":
        numbers = der.sequence(der.integer(1 << (kind.size - 1) | 1), der.integer(65537))
        return der.sequence(der.sequence(der.oid(_RSA), der.null()), der.bit_string(numbers))
    if kind.family == "ec":
        point = b"\x04" + bytes((kind.size + 7) // 8 * 2)
        algorithm = der.sequence(der.oid(_EC), der.oid(kind.oid))
        return der.sequence(algorithm, der.bit_string(point))
    return der.sequence(der.sequence(der.oid(kind.oid)), der.bit_string(bytes(32)))


def load_sets(profile: Profile) -> tuple[RequirementSet, ...]:
    """The requirement sets that a profile names; InputError says where one is wrong or missing."""
    found, problems = list[RequirementSet](), list[Problem]()
    for number, name in enumerate(profile.requirements):
        try:
            found.append(set_of(profile, name, ("requirements", number)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(found)


def sets_named(profile: Profile) -> tuple[RequirementSet, ...]:
    """The sets that a profile's certificates satisfy, and those that its negative cases break."""
    found = {one.name: one for one in load_sets(profile)}
    for number, asked in enumerate(profile.negatives):
        if asked.against is not None:
            one = set_of(profile, asked.against, ("negatives", number, "against"))
            found.setdefault(one.name, one)
    return tuple(found.values())


def set_of(profile: Profile, name: str, path: tuple[str | int, ...]) -> RequirementSet:
    """A requirement set that is named at a place of the profile, relative to where it was written."""
    from pkigen.documents.yaml_tree import folder_of

    try:
        return load_set(name, folder_of(name, profile.folder))
    except InputError as error:
        problems = [p if p.location else profile.top_problem(path, p.message) for p in error.problems]
        raise InputError(problems) from error


class ComplianceChecker:
    """Holds end entities against requirement sets, one after the other."""

    def __init__(self, profile: Profile, authorities: Iterable[Entity], clock: datetime) -> None:
        self._profile = profile
        self._clock = clock
        self._entities = {entity.id: entity for entity in authorities}
        self._certificates = {entity.id: self._certificate(entity) for entity in self._entities.values()}
        self._seen = Counter[str]()

    def findings(self, entity: Entity, sets: Iterable[RequirementSet]) -> Iterator[Finding]:
        """What each set says of an end entity as it is planned."""
        shown = CheckInput(
            now=self._clock,
            certificate=self._certificate(entity),
            planned_chain=tuple(self._certificates[issuer] for issuer in entity.issuers),
            sharing=self._seen,
            issued=False,
        )
        for one in sets:
            yield from findings(one, shown)

    def remember(self, entity: Entity) -> None:
        """Count an end entity's common name as taken."""
        name = common_name(entity.certificates[0].subject)
        if name is not None:
            self._seen[name.lower()] += 1

    def _certificate(self, entity: Entity) -> Certificate:
        if entity.imported is not None:
            return Certificate(entity.imported.certificate)
        plan = entity.certificates[0]
        issuer = entity if plan.issuer_id == entity.id else self._entities[plan.issuer_id]
        return placeholder(plan, entity.key, issuer.key)

    def problem(self, spec: CertificateSpec, finding: Finding) -> Problem:
        """A broken demand as a problem of the profile, at the line that causes it."""
        outcome, requirement = finding.outcome, finding.requirement
        found = outcome.reason or f"found {outcome.found}, wanted {outcome.wanted}"
        words = f"{finding.set.name} demands: {requirement.says} ({requirement.id}; {found})"
        if finding.subject is not None:
            return self._problem_above(finding, words)
        blame = outcome.blame
        if blame[:1] == ("crl_distribution_points",) and not self._profile.says(spec, str(blame[0])):
            return self._profile.top_problem(("base_url",), words)
        return self._profile.problem(spec, blame, words)

    def _problem_above(self, finding: Finding, words: str) -> Problem:
        """A problem of an authority's certificate."""
        for spec in self._profile.authorities:
            if self._certificates.get(f"authorities/{spec.name}") == finding.subject:
                return self._profile.problem(spec, finding.outcome.blame, words)
        return Problem(words)


def _bases(profile: Profile) -> dict[str, list[RequirementSet]]:
    """The sets that the bases of negative cases must satisfy besides: a case breaks one demand alone."""
    found = dict[str, list[RequirementSet]]()
    for number, asked in enumerate(profile.negatives):
        if asked.against is not None and asked.against not in profile.requirements:
            one = set_of(profile, asked.against, ("negatives", number, "against"))
            found.setdefault(asked.of, []).append(one)
    return found


def obey(
    profile: Profile, clock: datetime, authorities: Iterable[Entity], certificates: Iterable[Entity]
) -> None:
    """Hold every end entity without a fault against the profile's sets; InputError has all problems.

    Advice is no error. What only files and signatures can show is not looked at here.
    """
    sets = load_sets(profile)
    bases = _bases(profile)
    if not sets and not bases:
        return
    compliance = ComplianceChecker(profile, authorities, clock)
    problems = list[Problem]()
    specs: Iterable[CertificateSpec | AuthoritySpec] = profile.certificates()
    for spec, entity in zip(specs, islice(certificates, profile.count), strict=True):
        assert isinstance(spec, CertificateSpec)
        if spec.faults:
            continue
        for finding in compliance.findings(entity, (*sets, *bases.get(spec.name, ()))):
            if finding.failed and finding.requirement.level is not Level.ADVICE:
                problems.append(compliance.problem(spec, finding))
        compliance.remember(entity)
        if len(problems) >= limits.PROBLEMS:
            break
    if problems:
        unique = {(p.location, p.message): p for p in problems}
        in_order = sorted(unique.values(), key=lambda p: p.location or Location(""))
        raise InputError(in_order[: limits.PROBLEMS])
