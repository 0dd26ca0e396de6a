"""Attributes of the subject (RFC 5280, 4.1.2.6), and the form of issuer and subject (appendix A.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pkigen.asn1 import der, names
from pkigen.asn1.names import ATTRIBUTE_TYPES, SHORT_NAMES, SIZES
from pkigen.cases.case import Case, common_name
from pkigen.documents.fields import OID, Parsed, unknown
from pkigen.model import Attribute, Name
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, pass_or_fail, passed
from pkigen.requirements.pattern import LONGEST_VALUE, Pattern
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN_NAME = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?({_LABEL}\.)+[A-Za-z]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?")
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_PRINTABLE_ONLY = ("C", "serialNumber", "dnQualifier")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_STRING_TYPES = {
    "UTF8String": der.UTF8_STRING,
    "PrintableString": der.PRINTABLE_STRING,
    "TeletexString": der.TELETEX_STRING,
    "IA5String": der.IA5_STRING,
    "UniversalString": der.UNIVERSAL_STRING,
    "BMPString": der.BMP_STRING,
}
_TYPE_NAMES = {tag: name for name, tag in _STRING_TYPES.items()}
StringType = Literal[
    "UTF8String", "PrintableString", "TeletexString", "IA5String", "UniversalString", "BMPString"
]


def _parse_attribute(text: str) -> str:
    if text not in ATTRIBUTE_TYPES and not OID.fullmatch(text):
        raise ValueError(unknown("subject attribute", text, tuple(ATTRIBUTE_TYPES)))
    return str(text)


@demand
class SubjectAttribute(Demand):
    """One attribute of the subject: present or not, its form, its string type.

    ``pattern`` is a regular expression that matches the whole value; ``counterexample`` is a value that it
    does not match, for the negative case. If the attribute has several values, the conditions apply to each.
    ``unique`` compares the certificates of an environment.
    """

    kind: ClassVar[str] = "subject_attribute"
    field: ClassVar[str | None] = "subject"
    of_requests: ClassVar[bool] = True

    type: Annotated[str, Parsed(_parse_attribute, "CN, C, O, OU ... or an OID")]
    required: bool = False
    forbidden: bool = False
    form: Literal["any", "domain-name"] = "any"
    wildcard: bool = True
    unique: bool = False
    pattern: Annotated[Pattern, Parsed(Pattern, "a regular expression")] | None = None
    counterexample: Annotated[str, Field(max_length=LONGEST_VALUE)] = ""
    longest: Annotated[int, Field(ge=1, le=32768)] | None = None
    string_types: tuple[StringType, ...] = ()

    @model_validator(mode="after")
    def _can_be_violated(self) -> SubjectAttribute:
        if self.pattern is not None and self.pattern.matches(self.counterexample):
            raise ValueError("'counterexample' must be a value that does not match the pattern")
        if self.unique and self.type != "CN":
            raise ValueError("only a CN can be demanded to be unique")
        if self.required and self.forbidden:
            raise ValueError("an attribute cannot be required and forbidden")
        return self

    @property
    def _oid(self) -> str:
        return ATTRIBUTE_TYPES.get(self.type, (self.type, 0))[0]

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; a missing attribute violates only ``required``."""
        blame = ("subject", self.type)
        values = names.values(certificate.subject, self._oid)
        if self.forbidden:
            return pass_or_fail(not values, ", ".join(values) or f"no {self.type}", f"no {self.type}", blame)
        if not any(values):
            if self.required:
                text = f"{self.type} is empty" if values else f"no {self.type}"
                return failed(text, f"a subject with {self.type}", blame=blame)
            return not_applicable(f"the subject has no {self.type}")
        text = ", ".join(values)
        tags = {one.tag for rdn in certificate.subject for one in rdn if one.oid == self._oid}
        if self.string_types and (others := tags - {_STRING_TYPES[name] for name in self.string_types}):
            string_types = " and ".join(_TYPE_NAMES.get(tag, f"tag {tag:02x}") for tag in sorted(others))
            return failed(f"{text} ({string_types})", " or ".join(self.string_types), blame=blame)
        holds = all(map(self._holds, values)) and self._is_unique(subject, values)
        return pass_or_fail(holds, text, self._expected(), blame)

    def _holds(self, value: str) -> bool:
        return (
            (self.form == "any" or _DOMAIN_NAME.fullmatch(value) is not None)
            and (self.wildcard or "*" not in value)
            and (self.pattern is None or self.pattern.matches(value))
            and (self.longest is None or len(value) <= self.longest)
        )

    def _is_unique(self, subject: CheckInput, values: tuple[str, ...]) -> bool:
        return not self.unique or not any(subject.sharing.get(value.lower()) for value in values)

    def _expected(self) -> str:
        parts = [
            "a domain name" if self.form == "domain-name" else "",
            "" if self.wildcard else "without a wildcard",
            "one that no other certificate of the environment has" if self.unique else "",
            f"matching {self.pattern} (at most {LONGEST_VALUE:,} characters)" if self.pattern else "",
            f"at most {self.longest} characters" if self.longest else "",
        ]
        return ", ".join(filter(None, parts)) or f"a {self.type}"

    def violations(self) -> Iterator[Violation]:
        """Missing, empty, present, the wrong form or type, a wildcard, not unique, too long."""
        kind = self.type
        if self.required:
            yield Violation("missing", f"The subject has no {kind}.", lambda c: c.with_attribute(kind, None))
            yield Violation("empty", f"The subject's {kind} is empty.", lambda c: c.with_attribute(kind, ""))
        if self.forbidden:
            says = f"The subject has the attribute {kind}."
            yield Violation("present", says, lambda c: c.with_attribute(kind, "x"))
        if self.form == "domain-name":
            says = f"The subject's {kind} is not a domain name."
            yield Violation("no-domain-name", says, partial(_with_words, kind))
        if not self.wildcard:
            yield Violation("wildcard", f"The subject's {kind} is a wildcard.", _with_wildcard)
        if self.unique:
            yield Violation("shared", f"Another certificate has the same {kind}.", _with_another_name)
        if self.pattern is not None:
            says = f"The subject's {kind} does not have the required form."
            yield Violation("pattern", says, lambda c: c.with_attribute(kind, self.counterexample))
        if self.longest is not None:
            too_long = "x" * (self.longest + 1)
            says = f"The subject's {kind} has {self.longest + 1} characters."
            yield Violation("too-long", says, lambda c: c.with_attribute(kind, too_long))
        if self.string_types:
            other = next(name for name in (*_STRING_TYPES, "") if name not in self.string_types)
            says = f"The subject's {kind} is a {other}."
            yield Violation("string-type", says, partial(_retyped, self._oid, _STRING_TYPES[other]))


def _with_words(kind: str, case: Case) -> Case:
    """Return the case with a text that contains its name, so that common names stay unique."""
    return case.with_attribute(kind, f"Appliance {case.entity.name}"[:64])


def _with_wildcard(case: Case) -> Case:
    name = common_name(case.plan.subject) or "host.test"
    return case.with_attribute("CN", "*." + name.removeprefix("*."))


def _with_another_name(case: Case) -> Case:
    return case.with_attribute("CN", common_name(case.base.certificates[0].subject) or case.base.name)


def _retyped(oid: str, tag: int, case: Case) -> Case:
    subject = [
        tuple(Attribute(one.oid, one.value, tag) if one.oid == oid else one for one in rdn)
        for rdn in case.plan.subject
    ]
    return case.change(subject=tuple(subject))


@demand
class NamesDemand(Demand):
    """Issuer and subject: not empty, and with values that RFC 5280, appendix A.1, allows.

    ``lengths``: each value has as many characters as the attribute allows. ``string_types``: each value has
    a string type that the attribute allows, and only characters of this type without control characters.
    """

    kind: ClassVar[str] = "names"
    field: ClassVar[str | None] = "subject"
    blame: ClassVar[tuple[str, ...]] = ("subject",)

    issuer: Literal["any", "not-empty"] = "any"
    subject: Literal["any", "not-empty", "not-empty-or-critical-san"] = "any"
    lengths: bool = False
    string_types: bool = False

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Only an end-entity certificate with a critical alternative name may have an empty subject."""
        if self.issuer == "not-empty" and not certificate.issuer:
            return failed("an empty issuer", "a name")
        for holder, name in (("issuer", certificate.issuer), ("subject", certificate.subject)):
            if self.lengths and (problem := _length_problem(name)):
                return failed(f"{holder}: {problem}", "a length that RFC 5280, A.1, allows")
            if self.string_types and (problem := _type_problem(name)):
                return failed(f"{holder}: {problem}", "a value of a type that RFC 5280, A.1, allows")
        if self.subject == "any" or certificate.subject:
            return passed("names" if self.subject == "any" else "a subject")
        san = certificate.extensions.raw("2.5.29.17")
        if self.subject == "not-empty-or-critical-san":
            expected = "a critical alternative name then"
            return pass_or_fail(bool(san and san.critical), "an empty subject", expected)
        return failed("an empty subject", "a subject")

    def violations(self) -> Iterator[Violation]:
        """An empty subject without a critical alternative name; a value that is too long; a wrong type."""
        if self.subject == "not-empty-or-critical-san":
            says = "The subject is empty, and the subject alternative name is not critical."
            yield Violation("empty-subject", says, _without_subject)
        if self.subject == "not-empty":
            yield Violation("empty-subject", "The subject is empty.", _without_subject)
        if self.lengths:
            says = "The subject's locality has 129 characters; the upper bound is 128."
            yield Violation("long-locality", says, lambda case: case.with_attribute("L", "x" * 129))
        if self.string_types:
            says = "The subject's country is a UTF8String instead of a PrintableString."
            yield Violation("utf8-country", says, _with_utf8_country)
            says = "The subject's locality is a PrintableString with an underscore."
            locality = Attribute(ATTRIBUTE_TYPES["L"][0], "a_b", der.PRINTABLE_STRING)
            yield Violation("not-printable", says, lambda c: c.change(subject=(*c.plan.subject, (locality,))))


def _length_problem(name: Name) -> str:
    for attribute in (one for rdn in name for one in rdn):
        smallest, largest = SIZES.get(attribute.oid, (0, 0))
        length = len(attribute.value)
        if largest and not smallest <= length <= largest:
            return f"{SHORT_NAMES.get(attribute.oid, attribute.oid)} with {length} characters"
    return ""


def _type_problem(name: Name) -> str:
    for attribute in (one for rdn in name for one in rdn):
        short = SHORT_NAMES.get(attribute.oid, attribute.oid)
        text = attribute.value
        if short in _PRINTABLE_ONLY and attribute.tag != der.PRINTABLE_STRING:
            return f"{short} is a {_TYPE_NAMES.get(attribute.tag, f'value with the tag {attribute.tag:02x}')}"
        if isinstance(text, bytes) and attribute.tag in _TYPE_NAMES:
            return f"{short} has bytes that are not a {_TYPE_NAMES[attribute.tag]}"
        if isinstance(text, str) and attribute.tag == der.PRINTABLE_STRING and not _PRINTABLE.fullmatch(text):
            return f"{short} has a character that a PrintableString cannot have"
        if isinstance(text, str) and attribute.tag != der.TELETEX_STRING and _CONTROL.search(text):
            return f"{short} has a control character"
    return ""


def _with_utf8_country(case: Case) -> Case:
    country = (Attribute(ATTRIBUTE_TYPES["C"][0], "US", der.UTF8_STRING),)
    others = (rdn for rdn in case.plan.subject if all(one.oid != country[0].oid for one in rdn))
    return case.change(subject=(country, *others))


def _without_subject(case: Case) -> Case:
    """Remove the subject; a self-signed certificate then also has an empty issuer."""
    if case.plan.issuer_id == case.entity.id:
        return case.change(subject=(), issuer=())
    return case.change(subject=())
