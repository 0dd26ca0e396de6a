"""Basic constraints (RFC 5280, 4.2.1.9)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.model import Extension
from pkigen.requirements.criticality import in_words, is_critical, other_criticality
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate


@demand
class BasicConstraintsDemand(Demand):
    """Basic constraints: present, critical, CA or not; a path length only for a CA."""

    kind: ClassVar[str] = "basic_constraints"
    field: ClassVar[str | None] = oids.BASIC_CONSTRAINTS
    blame: ClassVar[tuple[str, ...]] = ("basic_constraints",)

    ca: bool | None = None
    required: bool = False
    critical: bool | None = None
    path_length: Literal["any", "ca-only"] = "any"
    smallest_path_length: Annotated[int, Field(ge=0, le=100)] | None = None

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; a certificate without the extension is not a CA certificate."""
        extensions = certificate.extensions
        constraints = extensions.basic_constraints
        if constraints is None:
            if self.required or self.ca:
                return failed("no basic constraints", "those of a CA" if self.ca else "some")
            return passed("no basic constraints")
        text = "a CA" if constraints.ca else "not a CA"
        if self.ca is not None and constraints.ca is not self.ca:
            return failed(text, "a CA" if self.ca else "not a CA")
        critical = is_critical(extensions, oids.BASIC_CONSTRAINTS)
        if self.critical is not None and critical is not self.critical:
            return failed(in_words(not self.critical), in_words(self.critical))
        length, least = constraints.path_length, self.smallest_path_length
        if self.path_length == "ca-only" and length is not None and not _may_sign(certificate):
            return failed(f"a path length of {length}", "a path length only for a CA with keyCertSign")
        if least is not None and length is not None and length < least:
            return failed(f"a path length of {length}", f"at least {least}")
        return passed(text)

    def violations(self) -> Iterator[Violation]:
        """CA flag, path length, presence or criticality; for demands on CAs, in a CA certificate."""
        if self.ca is False:
            words = "The basic constraints have cA TRUE."
            yield Violation("ca", words, lambda case: _with_constraints(case, der.boolean(True)))
        if self.ca is True:
            words = "The basic constraints of the CA have cA FALSE."
            yield Violation("no-ca", words, _with_constraints, "path")
        if self.path_length == "ca-only":
            words = "The certificate has a path length constraint but is not a CA certificate."
            yield Violation("path-length", words, lambda case: _with_constraints(case, der.integer(0)))
        if (least := self.smallest_path_length) is not None:
            says = f"The path length constraint is {least - 1}."
            yield Violation("short-path", says, partial(_with_path_length, least - 1), "path")
        if self.required:
            yield Violation("missing", "The certificate has no basic constraints.", self._without)
        if self.critical is not None:
            yield other_criticality(oids.BASIC_CONSTRAINTS, "basic constraints", self.critical)

    def _without(self, case: Case) -> Case:
        if self.ca is True and case.plan.issuer_id == case.entity.id:
            raise Impossible("clients accept a root without basic constraints as a CA")
        return case.without_extension(oids.BASIC_CONSTRAINTS)


def _may_sign(certificate: Certificate) -> bool:
    """Return whether a certificate is a CA certificate whose key may sign certificates (4.2.1.9)."""
    usages = certificate.extensions.key_usage
    return certificate.is_authority and (usages is None or "keyCertSign" in usages)


def _with_path_length(length: int, case: Case) -> Case:
    return _with_constraints(case, der.boolean(True), der.integer(length))


def _with_constraints(case: Case, *elements: bytes) -> Case:
    return case.with_extension(Extension(oids.BASIC_CONSTRAINTS, True, der.sequence(*elements)))
