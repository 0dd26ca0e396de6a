"""One attribute of the subject (RFC 5280, 4.1.2.6)."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pkigen.asn1 import der, names
from pkigen.asn1.names import ATTRIBUTE_TYPES, SHORT_NAMES
from pkigen.cases.case import Case, Impossible, common_name
from pkigen.documents.fields import OID, Parsed, unknown
from pkigen.model import Attribute
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.name_kinds import text_of
from pkigen.requirements.outcome import Outcome, failed, not_applicable, pass_or_fail
from pkigen.requirements.pattern import LONGEST_VALUE, Pattern
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN_NAME = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?({_LABEL}\.)+[A-Za-z]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?")
STRING_TYPES = {
    "UTF8String": der.UTF8_STRING,
    "PrintableString": der.PRINTABLE_STRING,
    "TeletexString": der.TELETEX_STRING,
    "IA5String": der.IA5_STRING,
    "UniversalString": der.UNIVERSAL_STRING,
    "BMPString": der.BMP_STRING,
}
_TYPE_NAMES = {tag: name for name, tag in STRING_TYPES.items()}
StringType = Literal[
    "UTF8String", "PrintableString", "TeletexString", "IA5String", "UniversalString", "BMPString"
]


_SAMPLES = {
    **dict.fromkeys(("C", "jurisdictionC"), "US"),
    "DC": "test",
    "serialNumber": "1",
    "emailAddress": "a@contoso.test",
}
_CYCLES = ("0123456789", "ABCDEF", "abcdef", string.ascii_uppercase, string.ascii_lowercase)


def oid_of_attribute(kind: str) -> str:
    """Return the OID of an attribute type, which is a short name or an OID."""
    return ATTRIBUTE_TYPES.get(kind, (kind, 0))[0]


def parse_attribute(text: str) -> str:
    """Return the short name of an attribute type, or its OID; ValueError if it is neither."""
    if text not in ATTRIBUTE_TYPES and not OID.fullmatch(text):
        raise ValueError(unknown("subject attribute", text, tuple(ATTRIBUTE_TYPES)))
    return SHORT_NAMES.get(text, str(text))


AttributeType = Annotated[str, Parsed(parse_attribute, "CN, C, O, OU ... or an OID")]


@demand
class SubjectAttribute(Demand):
    """One attribute of the subject: present or not, its form, its string type.

    ``pattern`` is a regular expression that matches the whole value; ``counterexample`` is a value that it
    does not match, for the negative case. If the attribute has several values, the conditions apply to each.
    ``unique`` compares the certificates of an environment; ``once``: the subject has the attribute once.
    ``equals`` and ``differs_from`` compare with the subject alternative names, or with the same attribute of
    the issuer if it has one; case does not matter.
    """

    kind: ClassVar[str] = "subject_attribute"
    field: ClassVar[str | None] = "subject"
    of_requests: ClassVar[bool] = True

    type: AttributeType
    required: bool = False
    forbidden: bool = False
    form: Literal["any", "domain-name"] = "any"
    wildcard: bool = True
    unique: bool = False
    pattern: Annotated[Pattern, Parsed(Pattern, "a regular expression")] | None = None
    counterexample: Annotated[str, Field(max_length=LONGEST_VALUE)] = ""
    one_of: tuple[Annotated[str, Field(max_length=LONGEST_VALUE)], ...] = ()
    once: bool = False
    equals: Literal["san", "issuer"] | None = None
    differs_from: Literal["issuer"] | None = None
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
        if self.forbidden and (others := self.model_fields_set - {"type", "forbidden"}):
            raise ValueError(f"a forbidden attribute has no value: remove {', '.join(sorted(others))}")
        if self.counterexample and self.pattern is None and not self.one_of:
            raise ValueError("'counterexample' needs 'pattern' or 'one_of'")
        if self.counterexample and self.counterexample in self.one_of:
            raise ValueError("'counterexample' must be a value that is not in 'one_of'")
        if wrong := next((value for value in self.one_of if not self._holds(value)), None):
            raise ValueError(f"'one_of' has '{wrong}', but expected is {self._expected()}")
        if self.equals == self.differs_from == "issuer":
            raise ValueError("an attribute cannot be equal to that of the issuer and differ from it")
        return self

    @property
    def _oid(self) -> str:
        return oid_of_attribute(self.type)

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
        if self.string_types and (others := tags - {STRING_TYPES[name] for name in self.string_types}):
            string_types = " and ".join(_TYPE_NAMES.get(tag, f"tag {tag:02x}") for tag in sorted(others))
            return failed(f"{text} ({string_types})", " or ".join(self.string_types), blame=blame)
        if problem := self._comparison_problem(certificate, values):
            return failed(text, problem, blame=blame)
        holds = all(map(self._holds, values)) and self._is_unique(subject, values)
        return pass_or_fail(holds, text, self._expected(), blame)

    def _comparison_problem(self, certificate: Certificate, values: tuple[str, ...]) -> str:
        """Return what is expected of the attribute in comparison with others, if it deviates."""
        if self.once and len(values) > 1:
            return f"{self.type} once"
        texts = {value.casefold() for value in values}
        of_issuer = {value.casefold() for value in names.values(certificate.issuer, self._oid)}
        if self.equals == "san":
            alternative = {
                text_of(name).casefold() for name in certificate.extensions.alternative_names or ()
            }
            return "" if texts <= alternative else "a value that is a subject alternative name"
        if self.equals == "issuer" and of_issuer and texts != of_issuer:
            return f"the {self.type} of the issuer: {', '.join(sorted(of_issuer))}"
        if self.differs_from == "issuer" and texts & of_issuer:
            return f"another {self.type} than that of the issuer"
        return ""

    def _holds(self, value: str) -> bool:
        return (
            (self.form == "any" or _DOMAIN_NAME.fullmatch(value) is not None)
            and (self.wildcard or "*" not in value)
            and (self.pattern is None or self.pattern.matches(value))
            and (self.longest is None or len(value) <= self.longest)
            and (not self.one_of or value in self.one_of)
        )

    @property
    def compares(self) -> bool:
        return self.unique

    def _is_unique(self, subject: CheckInput, values: tuple[str, ...]) -> bool:
        return not self.unique or not any(subject.sharing.get(value.lower()) for value in values)

    def _expected(self) -> str:
        parts = [
            "a domain name" if self.form == "domain-name" else "",
            "" if self.wildcard else "without a wildcard",
            "one that no other certificate of the environment has" if self.unique else "",
            f"matching {self.pattern} (at most {LONGEST_VALUE:,} characters)" if self.pattern else "",
            f"at most {self.longest} characters" if self.longest else "",
            " or ".join(self.one_of),
        ]
        return ", ".join(filter(None, parts)) or f"a {self.type}"

    def violations(self) -> Iterator[Violation]:
        """Missing, empty, present, the wrong form or type, a wildcard, not unique, too long; other values."""
        kind = self.type
        if self.required:
            yield Violation("missing", f"The subject has no {kind}.", lambda c: c.with_attribute(kind, None))
            yield Violation("empty", f"The subject's {kind} is empty.", lambda c: c.with_attribute(kind, ""))
        if self.forbidden:
            says = f"The subject has the attribute {kind}."
            yield Violation("present", says, lambda c: c.with_attribute(kind, sample_value(kind, c)))
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
            other = other_string_type(self.string_types)
            says = f"The subject's {kind} is a {other}."
            yield Violation("string-type", says, partial(_retyped, self._oid, STRING_TYPES[other]))
        yield from self._violations_of_values()

    def _violations_of_values(self) -> Iterator[Violation]:
        kind = self.type
        if self.one_of:
            value = self.counterexample or similar(self.one_of[0], self.one_of)
            says = f"The subject's {kind} has a value that is not one of the permitted ones."
            yield Violation("other-value", says, lambda c: c.with_attribute(kind, value))
        if self.once:
            yield Violation("twice", f"The subject has two attributes {kind}.", partial(_twice, self._oid))
        if self.equals == "san":
            says = f"The subject's {kind} is not one of the alternative names."
            yield Violation("not-in-san", says, partial(_with_similar, kind))
        if self.equals == "issuer":
            says = f"The subject's {kind} differs from that of the issuer."
            yield Violation(
                "other-than-issuer", says, lambda c: c.with_attribute(kind, similar(_of_issuer(c, kind)))
            )
        if self.differs_from == "issuer":
            says = f"The subject's {kind} is that of the issuer."
            yield Violation("as-issuer", says, lambda c: c.with_attribute(kind, _of_issuer(c, kind)))


def other_string_type(permitted: tuple[StringType, ...]) -> str:
    """Return a string type that is not permitted; UniversalString if all are."""
    return next((name for name in STRING_TYPES if name not in permitted), "UniversalString")


def sample_value(kind: str, case: Case) -> str:
    """Return a value for an attribute that the subject does not have; for a CN, a host name of the case."""
    if kind == "CN":
        return next((host for host in case.entity.hosts if len(host) <= 64), case.entity.name[:64])
    return _SAMPLES.get(kind, "Other")


def similar(value: str, taken: tuple[str, ...] = ()) -> str:
    """Return a value of the same length and form that is not taken: one letter or digit differs.

    In a domain name, it is the first one, so that the domain does not change.
    """
    positions = [number for number, one in enumerate(value) if one.isascii() and one.isalnum()]
    for position in positions if "." in value else positions[::-1]:
        for characters in _CYCLES:
            if value[position] in characters:
                for other in characters:
                    text = value[:position] + other + value[position + 1 :]
                    if text != value and text not in taken:
                        return text
    return f"{value}x"


def _with_similar(kind: str, case: Case) -> Case:
    value = next(iter(names.values(case.plan.subject, oid_of_attribute(kind))), "other")
    return case.with_attribute(kind, similar(value))


def _of_issuer(case: Case, kind: str) -> str:
    values = names.values(case.plan.issuer, oid_of_attribute(kind))
    if not values:
        raise Impossible(f"the issuer has no {kind}")
    return values[0]


def _twice(oid: str, case: Case) -> Case:
    attributes = [one for rdn in case.plan.subject for one in rdn if one.oid == oid]
    if not attributes:
        raise Impossible("the subject does not have the attribute")
    return case.change(subject=(*case.plan.subject, (attributes[0],)))


def _with_words(kind: str, case: Case) -> Case:
    """Return the case with a text that contains its name, so that common names stay unique."""
    return case.with_attribute(kind, f"Appliance {case.entity.name}"[:64])


def _with_wildcard(case: Case) -> Case:
    name = common_name(case.plan.subject) or "host.test"
    return case.with_attribute("CN", "*." + name.removeprefix("*."))


def _with_another_name(case: Case) -> Case:
    return case.with_attribute("CN", common_name(case.base.certificates[0].subject) or case.base.name)


def retyped(attribute: Attribute, tag: int) -> Attribute:
    """Return an attribute with another string type; raise Impossible if its value is not of this type."""
    try:
        der.string(tag, str(attribute.value))
    except UnicodeEncodeError as error:
        raise Impossible("the value has characters that the other string type excludes") from error
    return Attribute(attribute.oid, attribute.value, tag)


def _retyped(oid: str, tag: int, case: Case) -> Case:
    subject = [
        tuple(retyped(one, tag) if one.oid == oid else one for one in rdn) for rdn in case.plan.subject
    ]
    return case.change(subject=tuple(subject))
