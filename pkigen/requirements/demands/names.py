"""Issuer and subject as a whole (RFC 5280, 4.1.2.4, 4.1.2.6 and appendix A.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Literal

from pydantic import model_validator

from pkigen.asn1 import der
from pkigen.asn1.names import ATTRIBUTE_TYPES, SHORT_NAMES, SIZES
from pkigen.cases.case import Case, Impossible
from pkigen.model import Attribute, Name
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.demands.subject import (
    STRING_TYPES,
    AttributeType,
    StringType,
    other_string_type,
    retyped,
    sample_value,
)
from pkigen.requirements.outcome import Outcome, failed, pass_or_fail, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate

_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_PRINTABLE_ONLY = ("C", "serialNumber", "dnQualifier")
_OF_FIXED_TYPE = tuple(oid for oid, tag in ATTRIBUTE_TYPES.values() if tag != der.UTF8_STRING)
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
_TYPE_NAMES = {tag: name for name, tag in STRING_TYPES.items()}
_FURTHER = ("OU", "O", "L", "ST", "title", "street", "UID")
"""Attributes that negative cases add."""


@demand
class NamesDemand(Demand):
    """Issuer and subject: not empty, and with values that RFC 5280, appendix A.1, allows.

    ``lengths``: each value has as many characters as the attribute allows. ``string_types``: each value has
    a string type that the attribute allows, and only characters of this type without control characters.
    ``directory_strings``: each value is one of these types, except of attributes with a fixed type, such as
    the country. ``only`` and ``forbidden`` are attributes that the subject may have, or must not have.
    """

    kind: ClassVar[str] = "names"
    field: ClassVar[str | None] = "subject"
    blame: ClassVar[tuple[str, ...]] = ("subject",)

    issuer: Literal["any", "not-empty"] = "any"
    subject: Literal["any", "empty", "not-empty", "not-empty-or-critical-san"] = "any"
    only: tuple[AttributeType, ...] = ()
    forbidden: tuple[AttributeType, ...] = ()
    lengths: bool = False
    string_types: bool = False
    directory_strings: tuple[StringType, ...] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> NamesDemand:
        if self.subject == "empty" and (self.only or self.forbidden):
            raise ValueError("an empty subject has no attributes: remove 'only' and 'forbidden'")
        if both := [kind for kind in self.only if kind in self.forbidden]:
            raise ValueError(f"{', '.join(both)} cannot be in 'only' and in 'forbidden'")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Only an end-entity certificate with a critical alternative name may have an empty subject."""
        if self.issuer == "not-empty" and not certificate.issuer:
            return failed("an empty issuer", "a name")
        for holder, name in (("issuer", certificate.issuer), ("subject", certificate.subject)):
            if self.lengths and (problem := _length_problem(name)):
                return failed(f"{holder}: {problem}", "a length that RFC 5280, A.1, allows")
            if self.string_types and (problem := _type_problem(name)):
                return failed(f"{holder}: {problem}", "a value of a type that RFC 5280, A.1, allows")
            if self.directory_strings and (problem := self._other_type(name)):
                return failed(f"{holder}: {problem}", " or ".join(self.directory_strings))
        present = [SHORT_NAMES.get(one.oid, one.oid) for rdn in certificate.subject for one in rdn]
        if surplus := [
            kind for kind in present if kind in self.forbidden or kind not in (self.only or present)
        ]:
            expected = f"only {', '.join(self.only)}" if self.only else f"no {', '.join(surplus)}"
            return failed(", ".join(surplus), expected)
        if self.subject == "empty":
            return pass_or_fail(not present, ", ".join(present) or "an empty subject", "an empty subject")
        if self.subject == "any" or certificate.subject:
            return passed("names" if self.subject == "any" else "a subject")
        san = certificate.extensions.raw("2.5.29.17")
        if self.subject == "not-empty-or-critical-san":
            expected = "a critical alternative name then"
            return pass_or_fail(bool(san and san.critical), "an empty subject", expected)
        return failed("an empty subject", "a subject")

    def _other_type(self, name: Name) -> str:
        tags = [STRING_TYPES[kind] for kind in self.directory_strings]
        for attribute in (one for rdn in name for one in rdn if one.oid not in _OF_FIXED_TYPE):
            if attribute.tag not in tags:
                return f"{SHORT_NAMES.get(attribute.oid, attribute.oid)} is a {_type_name(attribute)}"
        return ""

    def violations(self) -> Iterator[Violation]:
        """An empty subject, or one that is not; other attributes; a value of a wrong length or type."""
        if self.subject == "empty":
            yield Violation("not-empty", "The subject is not empty.", partial(_with, "CN"))
        further = next((kind for kind in _FURTHER if kind not in (*self.only, *self.forbidden)), "2.5.4.13")
        for kind in (*self.forbidden, *((further,) if self.only else ())):
            says = f"The subject has the attribute {kind}."
            yield Violation(f"with-{kind.lower().replace('.', '-')}", says, partial(_with, kind))
        if self.directory_strings:
            other = other_string_type(self.directory_strings)
            says = f"A value of the subject is a {other}."
            yield Violation("directory-string", says, partial(_retyped, STRING_TYPES[other]))
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


def _with(kind: str, case: Case) -> Case:
    return case.with_attribute(kind, sample_value(kind, case))


def _retyped(tag: int, case: Case) -> Case:
    """Change the string type of the last attribute without a fixed type."""
    attributes = [one for rdn in case.plan.subject for one in rdn if one.oid not in _OF_FIXED_TYPE]
    if not attributes:
        raise Impossible("the subject has no attribute without a fixed string type")
    changed = retyped(attributes[-1], tag)
    subject = [tuple(changed if one is attributes[-1] else one for one in rdn) for rdn in case.plan.subject]
    return case.change(subject=tuple(subject))


def _length_problem(name: Name) -> str:
    for attribute in (one for rdn in name for one in rdn):
        smallest, largest = SIZES.get(attribute.oid, (0, 0))
        length = len(attribute.value)
        if largest and not smallest <= length <= largest:
            return f"{SHORT_NAMES.get(attribute.oid, attribute.oid)} with {length} characters"
    return ""


def _type_name(attribute: Attribute) -> str:
    return _TYPE_NAMES.get(attribute.tag, f"value with the tag {attribute.tag:02x}")


def _type_problem(name: Name) -> str:
    for attribute in (one for rdn in name for one in rdn):
        short = SHORT_NAMES.get(attribute.oid, attribute.oid)
        text = attribute.value
        if short in _PRINTABLE_ONLY and attribute.tag != der.PRINTABLE_STRING:
            return f"{short} is a {_type_name(attribute)}"
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
