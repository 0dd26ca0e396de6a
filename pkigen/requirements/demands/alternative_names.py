"""Subject and issuer alternative names (RFC 5280, 4.2.1.6 and 4.2.1.7)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from pkigen.asn1 import oids
from pkigen.asn1.names import ATTRIBUTE_TYPES, COMMON_NAME, values
from pkigen.cases.case import Case, Impossible
from pkigen.cases.general_names import dns
from pkigen.documents.fields import Parsed
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.name_changes import (
    Change,
    NameList,
    changed,
    filled,
    one_more,
    without_kind,
    without_subject,
    without_value,
)
from pkigen.requirements.name_conditions import NameCondition, NameValues, conditions
from pkigen.requirements.name_kinds import (
    ADDED_KINDS,
    NameKind,
    comparable,
    encoded,
    kind_of,
    text_of,
    title_of,
)
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, GeneralName
from pkigen.x509.general_names import general_name

Names = tuple[GeneralName, ...]
Count = Annotated[int, Field(ge=0, le=10_000)]
_EMAIL_ADDRESS = ATTRIBUTE_TYPES["emailAddress"][0]
_IF_SUBJECT_EMPTY = "if-subject-empty"
_CRITICALITY: dict[object, bool | str] = {
    True: True,
    False: False,
    "true": True,
    "false": False,
    _IF_SUBJECT_EMPTY: _IF_SUBJECT_EMPTY,
}


def _parse_critical(value: object) -> bool | str:
    if not isinstance(value, bool | str) or value not in _CRITICALITY:
        raise ValueError(f"this must be true, false or {_IF_SUBJECT_EMPTY}")
    return _CRITICALITY[value]


Critical = Annotated[bool | str, Parsed(_parse_critical, f"true, false or {_IF_SUBJECT_EMPTY}", json_type="")]


@demand
class IssuerAlternativeNames(Demand):
    """The issuer alternative names: which kinds, how many, with which values, critical or not.

    A kind is dns, ip, email, uri, rid, dirname, or an otherName by the name or the OID of its type.
    ``kinds``: at least one name has one of these kinds. ``all_of``: there is a name of each of these kinds.
    ``only``: there is no name of another kind. ``exactly`` and ``at_most``: the number of names of a kind;
    ``maximum``: of all names. ``contains``: values that the list has. A missing extension violates
    ``required``, ``all_of``, ``contains``, ``exactly`` with a number other than 0, and ``match: some``.
    """

    kind: ClassVar[str] = "ian"
    field: ClassVar[str | None] = oids.ISSUER_ALTERNATIVE_NAME
    title: ClassVar[str] = oids.TITLES[oids.ISSUER_ALTERNATIVE_NAME]

    required: bool = False
    not_empty: bool = False
    syntax: bool = False
    kinds: tuple[NameKind, ...] = ()
    all_of: tuple[NameKind, ...] = ()
    only: tuple[NameKind, ...] = ()
    forbidden: tuple[NameKind, ...] = ()
    exactly: dict[NameKind, Count] = Field(default_factory=dict)
    at_most: dict[NameKind, Count] = Field(default_factory=dict)
    maximum: Annotated[int, Field(ge=1, le=10_000)] | None = None
    contains: dict[NameKind, tuple[str, ...]] = Field(default_factory=dict)
    values: dict[NameKind, NameValues] = Field(default_factory=dict)
    wildcard: Literal["allowed", "whole-label", "forbidden"] = "allowed"
    public_names: bool = False
    no_reverse_zones: bool = False
    no_trailing_dot: bool = False
    critical: Critical | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> IssuerAlternativeNames:
        for kind, rule in self.values.items():
            if problem := rule.problem_with_kind(kind):
                raise ValueError(problem)
        numbers = {kind: len(set(texts)) for kind, texts in self.contains.items()}
        for kind, number in (*dict.fromkeys(self.all_of, 1).items(), *self.exactly.items()):
            numbers[kind] = max(numbers.get(kind, 0), number)
        for kind, number in numbers.items():
            title = title_of(kind)
            if number and not self._permits(kind):
                raise ValueError(
                    f"a name of the kind {title} is required, but 'only' or 'forbidden' excludes it"
                )
            most = min(self.at_most.get(kind, number), self.exactly.get(kind, number))
            if number > most:
                words = f"{number} of the kind {title}" if number > 1 else f"a name of the kind {title}"
                raise ValueError(f"{words} is required, but only {most} permitted")
        if self.maximum is not None and sum(numbers.values()) > self.maximum:
            raise ValueError(f"{sum(numbers.values())} names are required, but 'maximum' is {self.maximum}")
        if self.kinds and not any(map(self._permits, self.kinds)):
            raise ValueError("'only' or 'forbidden' excludes all of 'kinds'")
        for kind, texts in self.contains.items():
            for text in texts:
                self._check_value(kind, text)
        return self

    def _permits(self, kind: str) -> bool:
        return kind not in self.forbidden and (not self.only or kind in self.only)

    def _check_value(self, kind: str, text: str) -> None:
        try:
            name = general_name(encoded(kind, text))
        except ValueError as error:
            raise ValueError(f"'{text}' is not a value of a name of the kind {title_of(kind)}") from error
        rule = self.values.get(kind)
        if rule is not None and rule.match == "every" and (problem := rule.problem(kind, (name,))):
            raise ValueError(f"'contains' requires '{text}', but expected is {problem[1]}")
        for condition in self._conditions:
            if not condition.holds(name):
                raise ValueError(f"'contains' requires '{text}', but expected is {condition.expected}")

    @property
    def _conditions(self) -> tuple[NameCondition, ...]:
        return tuple(
            conditions(
                syntax=self.syntax,
                wildcard=self.wildcard,
                public_names=self.public_names,
                no_reverse_zones=self.no_reverse_zones,
                no_trailing_dot=self.no_trailing_dot,
            )
        )

    @property
    def _requires_extension(self) -> bool:
        some = any(rule.match == "some" for rule in self.values.values())
        numbers = any(self.contains.values()) or any(self.exactly.values())
        return bool(self.required or self.all_of or numbers or some)

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; a missing extension violates only the fields that require it."""
        assert self.field is not None
        names = certificate.extensions.general_names(self.field)
        if names is None and subject.requested:
            return not_applicable("the request contains none; the CA may add some")
        if names is None:
            missing = failed(f"no {self.title}", self._required_names())
            return missing if self._requires_extension else not_applicable(f"there is no {self.title}")
        text = ", ".join(map(str, names)) or "an empty list"
        for problem in (*self._problems(names, text), *self._other_problems(certificate, names, text)):
            return failed(*problem)
        return passed(text)

    def _problems(self, names: Names, text: str) -> Iterator[tuple[str, str]]:
        """Yield the problems of the list as pairs of the actual and the expected value."""
        if self.not_empty and not names:
            yield text, "at least one name"
        for condition in self._conditions:
            if wrong := [str(name) for name in names if not condition.holds(name)]:
                yield ", ".join(wrong), condition.expected
        yield from self._problems_of_kinds(names, text)
        of_kind = dict[str, list[GeneralName]]()
        for name in names:
            of_kind.setdefault(kind_of(name), []).append(name)
        for kind, texts in self.contains.items():
            present = {comparable(kind, text_of(name)) for name in of_kind.get(kind, ())}
            if absent := [one for one in texts if comparable(kind, one) not in present]:
                yield text, ", ".join(f"{title_of(kind)}:{one}" for one in absent)
        for kind, rule in self.values.items():
            if problem := rule.problem(kind, tuple(of_kind.get(kind, ()))):
                yield problem

    def _problems_of_kinds(self, names: Names, text: str) -> Iterator[tuple[str, str]]:
        numbers = Counter(map(kind_of, names))
        if self.kinds and not any(numbers[kind] for kind in self.kinds):
            yield text, self._required_names()
        for kind in self.all_of:
            if not numbers[kind]:
                yield text, f"a name of the kind {title_of(kind)}"
        if excess := [str(name) for name in names if not self._permits(kind_of(name))]:
            kinds = " or ".join(map(title_of, self.only or self.forbidden))
            yield ", ".join(excess), f"{'only names' if self.only else 'no name'} of the kind {kinds}"
        for words, least, limits in (("exactly", self.exactly, self.exactly), ("at most", {}, self.at_most)):
            for kind, number in limits.items():
                if not least.get(kind, 0) <= numbers[kind] <= number:
                    title = title_of(kind)
                    yield (
                        f"{numbers[kind]} of the kind {title}: {text}",
                        f"{words} {number} of the kind {title}",
                    )
        if self.maximum is not None and len(names) > self.maximum:
            yield f"{len(names)} names", f"at most {self.maximum}"

    def _other_problems(self, certificate: Certificate, names: Names, text: str) -> Iterator[tuple[str, str]]:
        """Yield the problems that are not of the list alone: with the subject, and the criticality."""
        if self.critical is None:
            return
        assert self.field is not None
        extension = certificate.extensions.raw(self.field)
        critical = extension is not None and extension.critical
        expected = not certificate.subject if self.critical == _IF_SUBJECT_EMPTY else self.critical
        if critical is not expected:
            reason = "the subject is empty" if expected else "the subject is not empty"
            because = f", because {reason}" if self.critical == _IF_SUBJECT_EMPTY else ""
            yield _criticality(critical), _criticality(bool(expected)) + because

    def _required_names(self) -> str:
        parts = [
            f"a name of the kind {' or '.join(map(title_of, self.kinds))}" if self.kinds else "",
            *(f"a name of the kind {title_of(kind)}" for kind in self.all_of),
            *(f"exactly {number} of the kind {title_of(kind)}" for kind, number in self.exactly.items()),
            *(f"{title_of(kind)}:{one}" for kind, texts in self.contains.items() for one in texts),
        ]
        return ", ".join(filter(None, parts)) or "a name"

    def violations(self) -> Iterator[Violation]:
        """Yield each variant once: several fields can have the same violation."""
        yield from {violation.variant: violation for violation in self._violations()}.values()

    def _violations(self) -> Iterator[Violation]:
        """Missing, empty, other kinds, other numbers, other values, the other criticality."""
        assert self.field is not None
        oid, title = self.field, self.title
        if self._requires_extension:
            says = f"The certificate has no {title}."
            yield Violation("missing", says, lambda case: case.without_extension(oid))
        if self.not_empty:
            yield self._changed("empty", "The {title} extension is an empty list.", lambda listed: ())
        if self.kinds:
            says = "The {title} extension contains only names of another kind."
            yield self._changed("kind", says, self._of_other_kinds)
        for condition in self._conditions:
            for deviation in condition.deviations:
                yield self._changed(*deviation)
        yield from self._violations_of_numbers()
        for kind, texts in self.contains.items():
            for text in texts:
                says = f"The {{title}} extension does not contain {title_of(kind)}:{_quoted(text)}."
                yield self._changed(f"without-{_slug(kind, text)}", says, without_value(kind, text))
        for kind, rule in self.values.items():
            for variant, says, change in rule.deviations(kind):
                yield self._changed(f"{_slug(kind)}-{variant}", says, change)
        if self.critical is not None:
            says = f"The {title} extension has the wrong criticality."
            yield Violation("criticality", says, self._with_other_criticality)

    def _of_other_kinds(self, listed: NameList) -> tuple[bytes, ...]:
        removed = {number for kind in self.kinds for number in listed.of(kind)}
        remaining = tuple(name for number, name in enumerate(listed.encoded) if number not in removed)
        return remaining or (encoded("rid", "1.2.3.4"),)

    def _violations_of_numbers(self) -> Iterator[Violation]:
        """Yield a missing kind, a kind that is not permitted, one name too few, one name too many."""
        full = {**self.exactly, **self.at_most}
        permitted = [kind for kind in ADDED_KINDS if self._permits(kind) and full.get(kind) != 0]
        for kind in self.all_of:
            says = f"The {{title}} extension has no name of the kind {title_of(kind)}."
            yield self._changed(f"no-{_slug(kind)}", says, without_kind(kind, permitted))
        excluded = (kind for kind in ADDED_KINDS if self.only and kind not in self.only)
        for kind in (*self.forbidden, *(one for one in excluded if one not in self.exactly)):
            says = f"The {{title}} extension has a name of the kind {title_of(kind)}."
            yield self._changed(f"with-{_slug(kind)}", says, one_more(kind))
            if kind not in self.forbidden:
                break
        for kind, number in self.exactly.items():
            if number:
                says = f"The {{title}} extension has {number - 1} names of the kind {title_of(kind)}."
                variant = f"no-{_slug(kind)}" if number == 1 else f"too-few-{_slug(kind)}"
                yield self._changed(variant, says, without_kind(kind, permitted, all_of_them=False))
        for kind, number in (*self.exactly.items(), *self.at_most.items()):
            says = f"The {{title}} extension has {number + 1} names of the kind {title_of(kind)}."
            variant = f"too-many-{_slug(kind)}" if number else f"with-{_slug(kind)}"
            yield self._changed(variant, says, filled(number + 1, kind))
        if self.maximum is not None:
            says = f"The {{title}} extension has {self.maximum + 1} names."
            yield self._changed("too-many", says, filled(self.maximum + 1))

    def _changed(self, variant: str, says: str, change: Change) -> Violation:
        assert self.field is not None
        return Violation(variant, says.format(title=self.title), changed(self.field, change))

    def _with_other_criticality(self, case: Case) -> Case:
        assert self.field is not None
        extension = case.extension(self.field)
        if extension is None:
            raise Impossible(f"the certificate has no {self.title}")
        return case.with_extension(replace(extension, critical=not extension.critical))


@demand
class AlternativeNames(IssuerAlternativeNames):
    """The subject alternative names, also compared with the subject.

    ``covers_cn`` and ``covers_email``: they contain each common name or email address of the subject;
    ``same_case``: the common names in the same case. ``critical: if-subject-empty``: the extension is
    critical if the subject is empty, and otherwise not.
    """

    kind: ClassVar[str] = "san"
    field: ClassVar[str | None] = oids.SUBJECT_ALTERNATIVE_NAME
    title: ClassVar[str] = oids.TITLES[oids.SUBJECT_ALTERNATIVE_NAME]
    of_requests: ClassVar[bool] = True
    blame: ClassVar[tuple[str, ...]] = ("san",)

    covers_cn: bool = False
    covers_email: bool = False
    same_case: bool = False

    def _other_problems(self, certificate: Certificate, names: Names, text: str) -> Iterator[tuple[str, str]]:
        expected = list[str]()
        if self.covers_cn or self.same_case:
            expected += filter(None, values(certificate.subject, COMMON_NAME))
        if self.covers_email:
            expected += filter(None, values(certificate.subject, _EMAIL_ADDRESS))
        present = {text_of(name) for name in names}
        in_lowercase = {one.lower() for one in present}
        required = self.covers_cn or self.covers_email
        if required and (missing := [one for one in expected if one.lower() not in in_lowercase]):
            yield text, ", ".join(missing)
        if self.same_case and (
            other := [one for one in expected if one.lower() in in_lowercase and one not in present]
        ):
            yield text, f"{', '.join(other)} in the same case"
        yield from super()._other_problems(certificate, names, text)

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """A subject with an email address needs the extension for ``covers_email`` (4.1.2.6)."""
        addresses = values(certificate.subject, _EMAIL_ADDRESS) if self.covers_email else ()
        if addresses and certificate.extensions.raw(oids.SUBJECT_ALTERNATIVE_NAME) is None:
            return failed(f"no {self.title}", ", ".join(addresses))
        if not addresses and self.model_fields_set == {"covers_email"}:
            return not_applicable("the subject has no email address")
        return super().check_certificate(certificate, subject)

    def _violations(self) -> Iterator[Violation]:
        """Further: without the common name; in another case; without the email address."""
        yield from super()._violations()
        if self.covers_cn:
            says = "The {title}s do not contain the common name."
            yield self._changed("without-cn", says, without_subject)
        if self.same_case:
            says = "The common name is in the {title}s in another case."
            yield self._changed("other-case", says, _in_other_case)
        if self.covers_email:
            says = "The subject has an email address that is not one of the alternative names."
            change = lambda case: case.with_attribute("emailAddress", "a@contoso.test")  # noqa: E731
            yield Violation("without-email", says, change)


def _in_other_case(listed: NameList) -> tuple[bytes, ...]:
    """Swap the case of the DNS names that the subject has, too."""
    for number in listed.of("dns"):
        text = listed.text(number)
        if text.lower() in listed.subject:
            listed = replace(listed, encoded=listed.replaced(number, dns(text.swapcase())))
    return listed.encoded


def _criticality(critical: bool) -> str:
    return "critical" if critical else "not critical"


def _slug(kind: str, text: str = "") -> str:
    """Return a kind, or a value of it, as a part of the name of a case."""
    return re.sub("[^a-z0-9]+", "-", (text or title_of(kind)).lower()).strip("-")[:40]


def _quoted(text: str) -> str:
    """Return a text for a format string."""
    return text.replace("{", "{{").replace("}", "}}")
