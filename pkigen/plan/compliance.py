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
    """Return the certificate of a plan with placeholder keys of the given kinds for subject and issuer."""
    algorithm = algorithm_of(parse_kind(issuer_kind), plan.signature)
    tbs = tbs_certificate(plan, _public_key(parse_kind(kind)), algorithm, _IDENTIFIER, _IDENTIFIER)
    return Certificate(der.sequence(tbs, algorithm, _NO_SIGNATURE))


@lru_cache(maxsize=64)
def _public_key(kind: KeyKind) -> bytes:
    """Return a SubjectPublicKeyInfo whose key is a number or a point of the correct size."""
    if kind.family == "rsa":
        numbers = der.sequence(der.integer(1 << (kind.size - 1) | 1), der.integer(65537))
        return der.sequence(der.sequence(der.oid(_RSA), der.null()), der.bit_string(numbers))
    if kind.family == "ec":
        point = b"\x04" + bytes((kind.size + 7) // 8 * 2)
        algorithm = der.sequence(der.oid(_EC), der.oid(kind.oid))
        return der.sequence(algorithm, der.bit_string(point))
    return der.sequence(der.sequence(der.oid(kind.oid)), der.bit_string(bytes(32)))


def load_sets(profile: Profile) -> tuple[RequirementSet, ...]:
    """Return the requirement sets that a profile names; raise InputError for an invalid or missing set."""
    sets, problems = list[RequirementSet](), list[Problem]()
    for number, name in enumerate(profile.requirements):
        try:
            sets.append(set_of(profile, name, ("requirements", number)))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(sets)


def sets_named(profile: Profile) -> tuple[RequirementSet, ...]:
    """Return the sets that a profile's certificates satisfy, and the sets that its negative cases violate."""
    sets = {one.name: one for one in load_sets(profile)}
    for number, negatives in enumerate(profile.negatives):
        if negatives.against is not None:
            one = set_of(profile, negatives.against, ("negatives", number, "against"))
            sets.setdefault(one.name, one)
    return tuple(sets.values())


def set_of(profile: Profile, name: str, path: tuple[str | int, ...]) -> RequirementSet:
    """Return the requirement set named at a path of the profile, relative to the file that contains it."""
    from pkigen.documents.yaml_tree import folder_of

    try:
        return load_set(name, folder_of(name, profile.folder))
    except InputError as error:
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

    def findings(self, entity: Entity, sets: Iterable[RequirementSet]) -> Iterator[Finding]:
        """Yield the findings of each set for a planned end entity."""
        data = CheckInput(
            now=self._clock,
            certificate=self._certificate(entity),
            planned_chain=tuple(self._certificates[issuer] for issuer in entity.issuers),
            sharing=self._seen,
            issued=False,
        )
        for one in sets:
            yield from findings(one, data)

    def remember(self, entity: Entity) -> None:
        """Record the common name of an end entity as used."""
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
    bases = dict[str, list[RequirementSet]]()
    for number, negatives in enumerate(profile.negatives):
        if negatives.against is not None and negatives.against not in profile.requirements:
            one = set_of(profile, negatives.against, ("negatives", number, "against"))
            bases.setdefault(negatives.of, []).append(one)
    return bases


def obey(
    profile: Profile, clock: datetime, authorities: Iterable[Entity], certificates: Iterable[Entity]
) -> None:
    """Check every end entity without a fault against the profile's sets; raise InputError for all problems.

    Recommendations do not cause errors. This check skips requirements on files and signatures.
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
