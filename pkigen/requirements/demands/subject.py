"""Attributes of the subject (RFC 5280, 4.1.2.6), and names that must not be empty."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pkigen.asn1 import names
from pkigen.asn1.names import ATTRIBUTE_TYPES
from pkigen.cases.case import Case, common_name
from pkigen.documents.fields import Parsed, unknown
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
    passed,
)
from pkigen.requirements.subject import CheckInput

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN_NAME = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?({_LABEL}\.)+[A-Za-z]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?")


def _parse_attribute(text: str) -> str:
    if text not in ATTRIBUTE_TYPES:
        raise ValueError(unknown("subject attribute", text, tuple(ATTRIBUTE_TYPES)))
    return str(text)


def _parse_pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is not a regular expression: {error}") from error


@demand
class SubjectAttribute(Demand):
    """One attribute: there, of a form, no wildcard, its own.

    ``pattern`` is a regular expression that the whole value must match, ``counterexample`` a value
    that does not (the case that breaks it has that one). Each value is looked at when there are
    several. ``unique`` counts over an environment.
    """

    kind: ClassVar[str] = "subject_attribute"
    field: ClassVar[str | None] = "subject"
    of_requests: ClassVar[bool] = True

    type: Annotated[str, Parsed(_parse_attribute, "CN, C, O, OU ...")]
    required: bool = False
    form: Literal["any", "domain-name"] = "any"
    wildcard: bool = True
    unique: bool = False
    pattern: Annotated[re.Pattern[str], Parsed(_parse_pattern, "a regular expression")] | None = None
    counterexample: str = ""
    longest: Annotated[int, Field(ge=1, le=32768)] | None = None

    @model_validator(mode="after")
    def _can_be_broken(self) -> SubjectAttribute:
        if self.pattern is not None and self.pattern.fullmatch(self.counterexample):
            raise ValueError("'counterexample' must be a value that does not match the pattern")
        if self.unique and self.type != "CN":
            raise ValueError("only a CN can be demanded to be unique")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Presence first; what is missing breaks nothing else."""
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        blame = ("subject", self.type)
        values = names.values(subject.certificate.subject, ATTRIBUTE_TYPES[self.type][0])
        if not any(values):
            if self.required:
                found = f"{self.type} is empty" if values else f"no {self.type}"
                return failed(found, f"a subject with {self.type}", blame=blame)
            return not_applicable(f"the subject has no {self.type}")
        found, wanted = ", ".join(values), self._wanted()
        return pass_or_fail(
            all(map(self._holds, values)) and self._is_own(subject, values), found, wanted, blame
        )

    def _holds(self, value: str) -> bool:
        return (
            (self.form == "any" or _DOMAIN_NAME.fullmatch(value) is not None)
            and (self.wildcard or "*" not in value)
            and (self.pattern is None or self.pattern.fullmatch(value) is not None)
            and (self.longest is None or len(value) <= self.longest)
        )

    def _is_own(self, subject: CheckInput, values: tuple[str, ...]) -> bool:
        return not self.unique or not any(subject.sharing.get(value.lower()) for value in values)

    def _wanted(self) -> str:
        parts = [
            "a domain name" if self.form == "domain-name" else "",
            "" if self.wildcard else "without a wildcard",
            "one that no other certificate of the environment has" if self.unique else "",
            f"matching {self.pattern.pattern}" if self.pattern else "",
            f"at most {self.longest} characters" if self.longest else "",
        ]
        return ", ".join(filter(None, parts)) or f"a {self.type}"

    def violations(self) -> Iterator[Violation]:
        """Missing, empty, of the wrong form, a wildcard, another's, too long."""
        kind = self.type
        if self.required:
            yield Violation("missing", f"The subject has no {kind}.", lambda c: c.with_attribute(kind, None))
            yield Violation("empty", f"The subject's {kind} is empty.", lambda c: c.with_attribute(kind, ""))
        if self.form == "domain-name":
            words = f"The subject's {kind} is no domain name."
            yield Violation("no-domain-name", words, partial(_with_words, kind))
        if not self.wildcard:
            yield Violation("wildcard", f"The subject's {kind} is a wildcard.", _with_wildcard)
        if self.unique:
            yield Violation("shared", f"Its {kind} is another certificate's.", _with_another_name)
        if self.pattern is not None:
            words = f"The subject's {kind} is not of the form that is asked for."
            yield Violation("pattern", words, lambda c: c.with_attribute(kind, self.counterexample))
        if self.longest is not None:
            too_long = "x" * (self.longest + 1)
            words = f"The subject's {kind} has {self.longest + 1} characters."
            yield Violation("too-long", words, lambda c: c.with_attribute(kind, too_long))


def _with_words(kind: str, case: Case) -> Case:
    """Words with the name of the case: a common name stays its owner's own."""
    return case.with_attribute(kind, f"Appliance {case.entity.name}"[:64])


def _with_wildcard(case: Case) -> Case:
    held = common_name(case.plan.subject) or "host.test"
    return case.with_attribute("CN", "*." + held.removeprefix("*."))


def _with_another_name(case: Case) -> Case:
    return case.with_attribute("CN", common_name(case.base.certificates[0].subject) or case.base.name)


@demand
class NamesDemand(Demand):
    """Issuer and subject that say something (RFC 5280, 4.1.2.4 and 4.1.2.6)."""

    kind: ClassVar[str] = "names"
    field: ClassVar[str | None] = "subject"
    blame: ClassVar[tuple[str, ...]] = ("subject",)

    issuer: Literal["any", "not-empty"] = "any"
    subject: Literal["any", "not-empty", "not-empty-or-critical-san"] = "any"

    def check(self, subject: CheckInput) -> Outcome:
        """An empty subject is for end entities alone, with a critical alternative name."""
        found = subject.certificate
        if found is None:
            return not_applicable("there is no certificate")
        if self.issuer == "not-empty" and not found.issuer:
            return failed("an empty issuer", "a name")
        if self.subject == "any" or found.subject:
            return passed("names" if self.subject == "any" else "a subject", "")
        san = found.extensions.raw("2.5.29.17")
        if self.subject == "not-empty-or-critical-san":
            return pass_or_fail(
                bool(san and san.critical), "an empty subject", "a critical alternative name then"
            )
        return failed("an empty subject", "a subject")

    def violations(self) -> Iterator[Violation]:
        """An empty subject; beside an alternative name that is not critical where that would do."""
        if self.subject == "not-empty-or-critical-san":
            words = "Its subject is empty, and its alternative name is not critical."
            yield Violation("empty-subject", words, _without_subject)
        if self.subject == "not-empty":
            yield Violation("empty-subject", "Its subject is empty.", _without_subject)


def _without_subject(case: Case) -> Case:
    """What signs itself has an empty issuer then."""
    if case.plan.issuer_id == case.entity.id:
        return case.change(subject=(), issuer=())
    return case.change(subject=())
