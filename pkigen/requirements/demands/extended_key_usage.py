"""Extended key usage (RFC 5280, 4.2.1.12): purposes by name or OID."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.documents.fields import OID, OMIT, Omit, OrNone, Parsed, parse_oid, unknown
from pkigen.keys.kinds import parse_kind
from pkigen.model import Extension
from pkigen.requirements.criticality import in_words, is_critical, other_criticality
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.demands.public_key import Family
from pkigen.requirements.outcome import Outcome, failed, not_applicable, pass_or_fail, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.extensions import extended_key_usage

_NAMES = {oid: name for name, oid in oids.EXTENDED_KEY_USAGES.items()}
_ADDED = ("emailProtection", "clientAuth", "codeSigning", "timeStamping", "OCSPSigning", "serverAuth")
"""The purposes that negative cases add, in the order of preference."""


def _parse_purpose(text: str) -> str:
    if OID.fullmatch(text):
        return _NAMES.get(text) or parse_oid(text)
    if text not in oids.EXTENDED_KEY_USAGES:
        raise ValueError(unknown("extended key usage", text, tuple(oids.EXTENDED_KEY_USAGES)))
    return str(text)


Purpose = Annotated[str, Parsed(_parse_purpose, "serverAuth, clientAuth ... or an OID")]
PurposesOrNone = Annotated[tuple[Purpose, ...] | Omit | None, OrNone()]


@demand
class ExtendedKeyUsageDemand(Demand):
    """Extended key usage: present, with or without certain purposes, with exactly these, critical or not.

    ``families``: the demand applies only to keys of these families. ``exactly``: these purposes; ``one_of``:
    one of several sets of purposes, or none for no extension; ``only``: no other purposes. A missing
    extension violates ``required``, ``exactly``, and ``one_of`` without none.
    """

    kind: ClassVar[str] = "extended_key_usage"
    field: ClassVar[str | None] = oids.EXTENDED_KEY_USAGE
    blame: ClassVar[tuple[str, ...]] = ("extended_key_usage",)

    families: tuple[Family, ...] = ()
    required: bool = False
    contains: tuple[Purpose, ...] = ()
    lacks: tuple[Purpose, ...] = ()
    exactly: Annotated[tuple[Purpose, ...], Field(min_length=1)] | None = None
    one_of: tuple[PurposesOrNone, ...] = ()
    only: tuple[Purpose, ...] = ()
    critical: bool | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> ExtendedKeyUsageDemand:
        if both := [purpose for purpose in self.contains if purpose in self.lacks]:
            raise ValueError(f"{', '.join(both)} cannot be in 'contains' and in 'lacks'")
        if self.exactly and self.one_of:
            raise ValueError("'exactly' and 'one_of' exclude each other")
        if self.required and OMIT in self.one_of:
            raise ValueError("'required' excludes 'none' in 'one_of'")
        if self.only and (excess := [purpose for purpose in self.contains if purpose not in self.only]):
            raise ValueError(f"'contains' has {', '.join(excess)}, but 'only' does not")
        for purposes in self._sets:
            if not purposes:
                raise ValueError("a set of 'one_of' has at least one purpose; 'none' means no extension")
            if problem := self._problem(purposes):
                raise ValueError(f"the set {', '.join(purposes)} contradicts the other fields: {problem}")
        return self

    @property
    def _sets(self) -> list[tuple[str, ...]]:
        """The sets of purposes of which a certificate has one; empty if any set is permitted."""
        sets = (self.exactly,) if self.exactly else self.one_of
        return [purposes for purposes in sets if isinstance(purposes, tuple)]

    @property
    def _requires_extension(self) -> bool:
        return self.required or (bool(self._sets) and OMIT not in self.one_of)

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; ``any`` includes every purpose of ``contains``."""
        extensions = certificate.extensions
        purposes = extensions.extended_key_usage
        if self.families and certificate.public_key.family not in self.families:
            return not_applicable(f"the key is {certificate.public_key.family}")
        if purposes is None and OMIT in self.one_of:
            return passed("no extended key usage")
        if purposes is None:
            expected = " or ".join(map(", ".join, self._sets)) or ", ".join(self.contains) or "one"
            missing = failed("no extended key usage", expected)
            return missing if self._requires_extension else not_applicable("there is no extended key usage")
        critical = is_critical(extensions, oids.EXTENDED_KEY_USAGE)
        if self.critical is not None and critical is not self.critical:
            return failed(in_words(not self.critical), in_words(self.critical))
        text = ", ".join(purposes) or "no purpose"
        if (self._sets or self.one_of) and set(purposes) not in map(set, self._sets):
            return failed(text, f"exactly {' or '.join(map(', '.join, self._sets)) or 'none'}")
        expected = ", ".join([*self.contains, *(f"no {purpose}" for purpose in self.lacks)])
        problem = self._problem(purposes)
        return pass_or_fail(not problem, text, problem if self.only else expected)

    def _problem(self, purposes: tuple[str, ...]) -> str:
        """Return what the fields on single purposes expect, if the purposes deviate."""
        if "any" not in purposes and (missing := [one for one in self.contains if one not in purposes]):
            return ", ".join(missing)
        excluded = [one for one in purposes if one in self.lacks or one not in (self.only or purposes)]
        return f"no {', '.join(excluded)}" if excluded else ""

    def violations(self) -> Iterator[Violation]:
        """Yield each variant once: several fields can have the same violation."""
        yield from {violation.variant: violation for violation in self._violations()}.values()

    def _violations(self) -> Iterator[Violation]:
        """Missing, another purpose, a forbidden one, a further one, the other criticality."""
        oid = oids.EXTENDED_KEY_USAGE
        if self._requires_extension:
            words = "The certificate has no extended key usage."
            yield self._violation("missing", words, lambda case: case.without_extension(oid))
        for purpose in self.contains:
            words = f"The extended key usage does not include {purpose}."
            other = "emailProtection" if purpose != "emailProtection" else "codeSigning"
            others = tuple(one for one in self.contains if one not in (purpose, "any")) or (other,)
            yield self._violation(f"no-{_slug(purpose)}", words, partial(_without_purpose, purpose, others))
        for purpose in self.exactly or ():
            words = f"The extended key usage does not include {purpose}."
            yield self._violation(f"no-{_slug(purpose)}", words, partial(self._lacking, purpose))
        for purpose in self.lacks:
            words = f"The extended key usage includes {purpose}."
            change = partial(_with_purpose, purpose, self.contains)
            yield self._violation(_slug(purpose), words, change)
        if self._sets or self.one_of:
            says = "The extended key usage has a further purpose, which the permitted sets do not have."
            yield self._violation("further", says, self._with_another_set(_further))
        if self.one_of and self._sets:
            says = "The extended key usage lacks a purpose of the permitted sets."
            yield self._violation("fewer", says, self._with_another_set(_fewer))
        if self.only:
            says = "The extended key usage has a purpose that is not permitted."
            yield self._violation("not-permitted", says, self._with_other_purpose)
        if self.critical is not None:
            one = other_criticality(oid, "extended key usage", self.critical)
            yield self._violation(one.variant, one.says, one.apply)

    def _violation(self, variant: str, says: str, change: Callable[[Case], Case]) -> Violation:
        """Return a violation that only certificates with keys of ``families`` can have."""

        def apply(case: Case) -> Case:
            family = parse_kind(case.entity.key).family
            if self.families and family not in self.families:
                raise Impossible(f"the requirement does not apply to {family} keys")
            return change(case)

        return Violation(variant, says, apply)

    def _lacking(self, purpose: str, case: Case) -> Case:
        remaining = tuple(one for one in self.exactly or () if one != purpose)
        return with_purposes(remaining or (next(one for one in _ADDED if one != purpose),), case)

    def _with_another_set(
        self, others: Callable[[tuple[str, ...]], Iterable[tuple[str, ...]]]
    ) -> Callable[[Case], Case]:
        def apply(case: Case) -> Case:
            sets = [set(purposes) for purposes in self._sets]
            present = _purposes_of(case) or (self._sets[0] if others is _fewer else ())
            candidates = (one for one in others(present) if one and set(one) not in sets)
            if (other := next(candidates, None)) is None:
                raise Impossible("each other set of purposes is permitted, too")
            return with_purposes(other, case)

        return apply

    def _with_other_purpose(self, case: Case) -> Case:
        other = next((one for one in _ADDED if one not in self.only), None)
        if other is None:
            raise Impossible("every purpose is permitted")
        return with_purposes((*(_purposes_of(case) or self.only[:1]), other), case)


def _slug(purpose: str) -> str:
    return purpose.lower().replace(".", "-")


def _purposes_of(case: Case) -> tuple[str, ...]:
    extension = case.extension(oids.EXTENDED_KEY_USAGE)
    return extended_key_usage(extension.value) if extension and isinstance(extension.value, bytes) else ()


def _without_purpose(purpose: str, others: tuple[str, ...], case: Case) -> Case:
    """Return the case without a purpose; purposes by OID remain, and all others without one by OID."""
    present = [one for one in _purposes_of(case) if one != purpose]
    if not OID.fullmatch(purpose):
        present = [one for one in present if OID.fullmatch(one)]
        return with_purposes((*others, *(one for one in present if one not in others)), case)
    return with_purposes(tuple(present) or others, case)


def _with_purpose(purpose: str, others: tuple[str, ...], case: Case) -> Case:
    """Return the case with a further purpose by OID, or with a purpose by name beside ``others`` alone."""
    present = _purposes_of(case) if OID.fullmatch(purpose) else ()
    return with_purposes((*(present or others), purpose), case)


def _further(purposes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield from ((*purposes, one) for one in _ADDED if one not in purposes)


def _fewer(purposes: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield from (tuple(one for one in purposes if one != removed) for removed in purposes)


def with_purposes(purposes: tuple[str, ...], case: Case) -> Case:
    """Return the case with these purposes; the criticality does not change."""
    extension = case.extension(oids.EXTENDED_KEY_USAGE)
    value = der.sequence(*(der.oid(oids.EXTENDED_KEY_USAGES.get(one, one)) for one in purposes))
    critical = extension is not None and extension.critical
    return case.with_extension(Extension(oids.EXTENDED_KEY_USAGE, critical, value))
