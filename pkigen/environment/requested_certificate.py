"""Plans the certificate for the request of a device, or rejects the request with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from pkigen.documents.set_reference import SetReference
from pkigen.environment.build.session import random_serial
from pkigen.errors import InputError, Refused, visible
from pkigen.faults import Case, FaultRequest, Impossible
from pkigen.model import Entity
from pkigen.plan import CRL_LIFE
from pkigen.plan.compliance import ComplianceChecker, load_sets, set_of
from pkigen.plan.entities import Planner
from pkigen.plan.negatives import with_faults
from pkigen.plan.path_expectations import PathExpectations
from pkigen.profile import CertificateSpec, Profile, alternative_names
from pkigen.profile.certification_request import Requested
from pkigen.profile.enrolment import NameNotAllowed, Template
from pkigen.profile.names import check_name
from pkigen.requirements import CheckInput, Finding, Level, RequirementSet, findings
from pkigen.x509 import CertificationRequest

_LONGEST_NAME = 80
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class Cause(StrEnum):
    """Why a request was rejected."""

    MALFORMED = "malformed"
    POSSESSION = "proof of possession"
    KEY = "key"
    NAME = "name"
    REQUIREMENT = "requirement"


class Rejected(Refused):
    """A request that was rejected; nothing was recorded."""

    def __init__(self, cause: Cause, reason: str) -> None:
        self.cause = cause
        # It quotes names of the request.
        self.reason = visible(reason)
        super().__init__(f"the request is rejected: {self.reason}")


class RequestPlanner:
    """Plans certificates for requests of one profile, with the clock at ``now`` (UTC, whole seconds)."""

    def __init__(self, profile: Profile, now: datetime) -> None:
        self.now = now
        self._profile = profile
        self._planner = Planner(profile, now, random_serial, CRL_LIFE)
        self._checker = ComplianceChecker(profile, self._planner.authorities, now)
        self._paths = PathExpectations(self._planner.authorities, now)
        self._sets = {one.name: one for one in load_sets(profile)}
        self._own_sets: dict[SetReference, RequirementSet] = {}

    def plan(
        self, template: Template, requested: Requested, name: str, faults: Sequence[FaultRequest] = ()
    ) -> Entity:
        """Return the planned certificate for a request; ``name`` is that of the certificate.

        Raises Rejected if the template, the requirement sets or the path do not permit it, and InputError for
        faults that cannot be applied.
        """
        try:
            _ = requested.key_kind
        except ValueError as error:
            raise Rejected(Cause.KEY, str(error)) from error
        try:
            spec = template.specification(requested, name)
        except NameNotAllowed as error:
            raise Rejected(Cause.NAME, str(error)) from error
        except ValueError as error:
            raise Rejected(Cause.MALFORMED, str(error)) from error
        if not spec.subject and not alternative_names(spec):
            raise Rejected(Cause.NAME, "it names neither a subject nor a subject alternative name")
        entity = self._planner.certificate(spec)
        if spec.faults or faults:
            return self._with_faults(entity, spec, (*spec.faults, *faults))
        if not template.of_server:
            self._check_requirements(entity, spec)
        defect = self._paths.defect(entity)
        if defect is not None:
            raise Rejected(Cause.NAME, f"no client would accept the certificate: {defect.reason}")
        return entity

    def _check_requirements(self, entity: Entity, spec: CertificateSpec) -> None:
        sets = dict(self._sets)
        for reference in spec.requirements:
            if reference not in self._own_sets:
                self._own_sets[reference] = set_of(self._profile, reference, ())
            sets[self._own_sets[reference].name] = self._own_sets[reference]
        if not sets:
            return
        every = [*self._checker.findings(entity, sets.values()), *self._of_request(spec, sets.values())]
        for finding in every:
            requirement, outcome = finding.requirement, finding.outcome
            if finding.failed and requirement.level is not Level.ADVICE and finding.subject is None:
                reason = outcome.reason or f"found {outcome.actual}, expected {outcome.expected}"
                cause = Cause.KEY if "public_key" in requirement.kinds else Cause.REQUIREMENT
                words = f"{finding.set.name} requires: {requirement.says} ({requirement.id}; {reason})"
                raise Rejected(cause, words)

    def _of_request(self, spec: CertificateSpec, sets: Iterable[RequirementSet]) -> Iterator[Finding]:
        """Yield the findings of the requirements on the request itself."""
        if spec.csr is None or not spec.csr.der:
            return
        request = CertificationRequest(spec.csr.der)
        data = CheckInput(
            now=self.now, certificate=request.as_certificate(), requested=True, request=request, issued=False
        )
        for one in sets:
            for finding in findings(one, data):
                if "certification_request" in finding.requirement.kinds:
                    yield finding

    def _with_faults(self, entity: Entity, spec: CertificateSpec, faults: Sequence[FaultRequest]) -> Entity:
        above = {one.id: one for one in self._planner.authorities}
        case = Case(entity, tuple(above[issuer] for issuer in entity.issuers), self.now, entity)
        ids = ", ".join(one.type.id for one in faults)
        try:
            made = with_faults(case, tuple(faults), spec.valid.text, self._planner.serial)
        except Impossible as error:
            raise InputError(f"the fault {ids} cannot be applied to this request: {error}") from error
        if made.copies or made.twins or made.entity.ocsp is not None:
            raise InputError(
                f"the fault {ids} needs a CA, a second certificate or an OCSP response of its own; "
                "use it for a certificate of the profile"
            )
        return made.entity


def free_name(requested: Requested, is_taken: Callable[[str], bool]) -> str:
    """Return a name for the certificate, from the common name or the first alternative name: a, a-2, a-3 ...

    The number of calls of ``is_taken`` is the logarithm of the number of taken names. Of names with gaps,
    any free one can be the result.
    """
    base = _derived_name(requested)

    def is_number_taken(number: int) -> bool:
        return is_taken(base if number == 1 else f"{base}-{number}")

    taken, free = 0, 1
    while is_number_taken(free):
        taken, free = free, 2 * free
    while free - taken > 1:
        middle = (taken + free) // 2
        taken, free = (middle, free) if is_number_taken(middle) else (taken, middle)
    return base if free == 1 else f"{base}-{free}"


def _derived_name(requested: Requested) -> str:
    try:
        pairs, names = requested.subject_pairs, requested.names
    except ValueError as error:
        raise Rejected(Cause.MALFORMED, str(error)) from error
    common_names = [value for kind, value in pairs if kind.removeprefix("+") == "CN"]
    text = next(iter((*common_names, *(str(one.value) for one in names))), "device")
    plain = _NOT_IN_NAMES.sub("-", text.replace("*", "any")).strip(".-_")[:_LONGEST_NAME].strip(".-_")
    return f"device-{sha256(text.encode()).hexdigest()[:8]}" if check_name(plain) else plain
