"""Extensions in general (RFC 5280, 4.2): presence, criticality, repetition, and whether they can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import EMPTY_SEQUENCE, JUNK, SAMPLES, put, value_of
from pkigen.documents.fields import Parsed, parse_oid
from pkigen.model import Extension
from pkigen.requirements.asn1_values import ValueType, another, encoded, text_of
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.pattern import LONGEST_VALUE, Pattern
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, Extensions, Malformed
from pkigen.x509.decode import elements
from pkigen.x509.timestamps import sct_list, scts, timestamps

_NAMES = {title.lower().replace(" ", "_"): oid for oid, title in oids.TITLES.items()}
_UNKNOWN = "1.3.6.1.4.1.55738.99.1"
_NEVER_EMPTY = (
    oids.CERTIFICATE_POLICIES,
    oids.POLICY_MAPPINGS,
    oids.POLICY_CONSTRAINTS,
    oids.NAME_CONSTRAINTS,
    oids.SUBJECT_ALTERNATIVE_NAME,
    oids.ISSUER_ALTERNATIVE_NAME,
    oids.SUBJECT_DIRECTORY_ATTRIBUTES,
    oids.EXTENDED_KEY_USAGE,
    oids.CRL_DISTRIBUTION_POINTS,
    oids.FRESHEST_CRL,
    oids.AUTHORITY_INFORMATION_ACCESS,
    oids.SUBJECT_INFORMATION_ACCESS,
)
"""Extensions that are a SEQUENCE with at least one element."""
_CRITICALITY = {True: "critical", False: "not critical"}


def _parse_extension(text: str) -> str:
    return _NAMES.get(text) or parse_oid(text)


Name = Annotated[str, Parsed(_parse_extension, "an OID, or a title such as subject_key_identifier")]


@demand
class ExtensionDemand(Demand):
    """Extensions by OID or title: required, forbidden, critical or not, only in CA certificates.

    ``name`` selects one extension, ``names`` several. Without them, the demand applies to all extensions:
    ``once`` (no repetition), ``known`` (no unknown critical extension), ``readable`` (each known extension
    has its ASN.1 structure), ``not_empty`` (no empty SEQUENCE where at least one element is required).

    ``oid`` is one extension by its value: ``type`` is the ASN.1 type, ``value``, ``one_of`` or ``pattern``
    its value as a text, ``minimum`` the number of elements of a SEQUENCE or of SCTs. With it, ``once`` is
    about this extension.
    """

    kind: ClassVar[str] = "extension"
    field: ClassVar[str | None] = None

    oid: Name | None = None
    name: Name | None = None
    names: tuple[Name, ...] = ()
    required: bool = False
    forbidden: bool = False
    ca_only: bool = False
    critical: bool | None = None
    once: bool = False
    known: bool = False
    readable: bool = False
    not_empty: bool = False
    type: ValueType | None = None
    value: Annotated[str, Field(max_length=LONGEST_VALUE)] | None = None
    one_of: tuple[Annotated[str, Field(max_length=LONGEST_VALUE)], ...] = ()
    pattern: Annotated[Pattern, Parsed(Pattern, "a regular expression")] | None = None
    counterexample: Annotated[str, Field(max_length=LONGEST_VALUE)] = ""
    minimum: Annotated[int, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _value_fits(self) -> ExtensionDemand:
        values = [self.value is not None, bool(self.one_of), self.pattern is not None]
        if (any(values) or self.type or self.minimum) and not self.oid:
            raise ValueError("'oid' is missing: which extension has the value?")
        if self.oid and (self.name or self.names):
            raise ValueError("'oid' excludes 'name' and 'names'")
        if self.oid and (self.known or self.readable or self.not_empty or self.ca_only):
            raise ValueError(
                "'oid' excludes known, readable, not_empty and ca_only; write a requirement for each"
            )
        if any(values) and self.type is None:
            raise ValueError("'type' is missing: the ASN.1 type of the value, such as UTF8String")
        if sum(values) > 1:
            raise ValueError("specify only one of value, one_of and pattern")
        if self.forbidden and (self.type or self.minimum):
            raise ValueError("a forbidden extension has no value")
        if self.pattern is not None and self.pattern.matches(self.counterexample):
            raise ValueError("'counterexample' must be a value that does not match the pattern")
        texts = (*([self.value] if self.value is not None else []), *self.one_of)
        for text in (*texts, *([self.counterexample] if self.pattern is not None else [])):
            assert self.type is not None
            try:
                encoded(self.type, text)
            except (ValueError, OverflowError) as error:
                raise ValueError(f"'{text}' is not a value of the type {self.type}: {error}") from error
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> ExtensionDemand:
        conditions = self.required or self.forbidden or self.ca_only or self.critical is not None
        if conditions and not self._oids:
            raise ValueError("'name' is missing: which extension is it about?")
        if self.required and self.forbidden:
            raise ValueError("an extension cannot be required and forbidden")
        return self

    @property
    def _oids(self) -> tuple[str, ...]:
        first = self.oid or self.name
        return (first, *self.names) if first else self.names

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check all extensions, then the named ones."""
        extensions = certificate.extensions
        problems = (
            (self.once and not self.oid, _repeated, "each extension once"),
            (self.known, _unknown_critical, "no unknown critical extension"),
            (self.not_empty, _empty, "at least one element"),
            (self.readable, _unreadable, "readable extensions"),
        )
        for applies, find, expected in problems:
            if applies and (problem := find(extensions)):
                return failed(problem, expected)
        if not self._oids:
            return passed(f"{len(extensions)} extensions")
        outcomes = [self._check_one(oid, certificate) for oid in self._oids]
        failures = [one for one in outcomes if one.status == "fail"]
        passes = [one for one in outcomes if one.status == "pass"]
        return (failures or passes or outcomes)[0]

    def _check_one(self, oid: str, certificate: Certificate) -> Outcome:
        title = oids.TITLES.get(oid, oid)
        extension = certificate.extensions.raw(oid)
        if extension is None:
            if oid == oids.AUTHORITY_KEY_IDENTIFIER and certificate.is_self_issued:
                return not_applicable("the certificate is self-signed (RFC 5280, 4.2.1.1)")
            if self.required:
                return failed(f"no {title}", f"the extension {title}")
            return passed(f"no {title}") if self.forbidden else not_applicable(f"there is no {title}")
        if self.forbidden or (self.ca_only and not certificate.is_authority):
            return failed(title, f"no {title}")
        if self.once and self.oid and sum(one.oid == oid for one in certificate.extensions) > 1:
            return failed(f"{title} more than once", f"{title} once")
        if outcome := self._check_value(extension.value):
            return outcome
        if self.critical is None or extension.critical is self.critical:
            value = text_of(self.type, extension.value) if self.type else ""
            return passed(value or _CRITICALITY[extension.critical], title)
        several = f"{title}: " if self.names else ""
        return failed(several + _CRITICALITY[extension.critical], _CRITICALITY[self.critical])

    def _check_value(self, value: bytes) -> Outcome | None:
        if self.minimum is not None and len(_parts(self.oid, value)) < self.minimum:
            return failed(f"{len(_parts(self.oid, value))} elements", f"at least {self.minimum}")
        if self.type is None:
            return None
        try:
            text = text_of(self.type, value)
        except Malformed as error:
            return failed(str(error), f"a value of the type {self.type}")
        expected = self.one_of if self.value is None else (_normal(self.type, self.value),)
        if expected and text not in {_normal(self.type, one) for one in expected}:
            return failed(text, " or ".join(expected))
        if self.pattern is not None and not self.pattern.matches(text):
            return failed(text, f"a value that matches {self.pattern}")
        return None

    def violations(self) -> Iterator[Violation]:
        """Missing, present, the wrong criticality; repeated, unknown and critical, unreadable, empty."""
        for oid in self._oids:
            yield from self._violations_of(oid)
        if self.oid:
            yield from self._violations_of_value(self.oid)
            return
        if self.once:
            yield Violation("repeated", "The certificate contains an extension twice.", _twice, "path")
        if self.known:
            extension = Extension(_UNKNOWN, True, der.null())
            says = "The certificate has an unknown critical extension."
            yield Violation("unknown-critical", says, lambda c: c.with_extension(extension), "path")
        if self.readable:
            says = "The private key usage period extension is an OCTET STRING instead of a SEQUENCE."
            change = partial(put, oid=oids.PRIVATE_KEY_USAGE_PERIOD, value=JUNK)
            yield Violation("unreadable", says, change)
        if self.not_empty:
            says = "The subject information access extension is an empty SEQUENCE."
            change = partial(put, oid=oids.SUBJECT_INFORMATION_ACCESS, value=EMPTY_SEQUENCE)
            yield Violation("empty", says, change)

    def _violations_of(self, oid: str) -> Iterator[Violation]:
        title = oids.TITLES.get(oid, oid)
        suffix = f"-{title.lower().replace(' ', '-')}" if self.names else ""
        if self.required:
            says = f"The certificate has no {title}."
            yield Violation(f"missing{suffix}", says, lambda case: case.without_extension(oid))
        if self.forbidden or self.ca_only:
            holder = "The end-entity certificate" if self.ca_only else "The certificate"
            says = f"{holder} has the extension {title}."
            yield Violation(f"present{suffix}", says, lambda case: _switched(case, oid, bool(self.critical)))
        if self.critical is not None:
            critical = not self.critical
            says = f"The {title} is {_CRITICALITY[critical]}."
            yield Violation(f"criticality{suffix}", says, lambda case: _switched(case, oid, critical))

    def _violations_of_value(self, oid: str) -> Iterator[Violation]:
        """Twice, too few elements, another type, another value."""
        critical = bool(self.critical)
        if self.once:
            yield Violation(
                "repeated", "The certificate contains the extension twice.", partial(_doubled, oid)
            )
        if (least := self.minimum) is not None:
            says = f"The extension has {least - 1} elements instead of {least}."
            yield Violation("too-few", says, partial(_shortened, oid, least - 1))
        if self.type is None:
            return
        text = self.one_of[0] if self.one_of else self.value if self.value is not None else ""
        value = JUNK if self.type != "OCTET STRING" else EMPTY_SEQUENCE
        change = partial(put, oid=oid, value=value, critical=critical)
        yield Violation("type", f"The extension has another type than {self.type}.", change)
        other: str | None = None
        if self.value is not None or self.one_of:
            other = another(self.type, text)
            while other is not None and other in self.one_of and self.type != "BOOLEAN":
                other = another(self.type, other)
        if other is not None and other not in self.one_of:
            change = partial(put, oid=oid, value=encoded(self.type, other), critical=critical)
            yield Violation("value", f"The value of the extension is {other}.", change)
        if self.pattern is not None:
            value = encoded(self.type, self.counterexample)
            change = partial(put, oid=oid, value=value, critical=critical)
            yield Violation("pattern", "The value of the extension does not have the required form.", change)


def _normal(kind: ValueType, text: str) -> str:
    """Return a value as it is read: hexadecimal digits in lowercase, numbers without a sign or zeros."""
    return text_of(kind, encoded(kind, text))


def _parts(oid: str | None, value: bytes) -> list[bytes]:
    """Return the elements of a SEQUENCE, or the SCTs of a list."""
    if oid == oids.SIGNED_CERTIFICATE_TIMESTAMPS:
        timestamps(value)
        return scts(value)
    return elements(value, "the value of the extension")


def _doubled(oid: str, case: Case) -> Case:
    extension = case.extension(oid)
    if extension is None:
        raise Impossible("the certificate does not have the extension")
    return case.change(extensions=(*case.plan.extensions, extension))


def _shortened(oid: str, count: int, case: Case) -> Case:
    parts = _parts(oid, value_of(case, oid))
    if len(parts) < count:
        raise Impossible(f"the extension has only {len(parts)} elements")
    if oid == oids.SIGNED_CERTIFICATE_TIMESTAMPS:
        return put(case, oid, sct_list(parts[:count]))
    return put(case, oid, der.sequence(*parts[:count]))


def _repeated(extensions: Extensions) -> str:
    counts = Counter(extension.oid for extension in extensions)
    repeated = [oids.TITLES.get(oid, oid) for oid, count in counts.items() if count > 1]
    return f"{', '.join(repeated)} more than once" if repeated else ""


def _unknown_critical(extensions: Extensions) -> str:
    unknown = [one.oid for one in extensions if one.critical and one.oid not in oids.TITLES]
    return f"{', '.join(unknown)} is critical" if unknown else ""


def _empty(extensions: Extensions) -> str:
    empty = [one.title for one in extensions if one.oid in _NEVER_EMPTY and one.value == EMPTY_SEQUENCE]
    return f"{', '.join(empty)} is an empty SEQUENCE" if empty else ""


def _unreadable(extensions: Extensions) -> str:
    """Return what ``pkigen show`` reports as malformed."""
    from pkigen.inspection.description.extensions import in_words

    for extension in extensions:
        try:
            in_words(extension)
        except ValueError as error:
            return f"{extension.title} is malformed: {error}"
    return ""


def _switched(case: Case, oid: str, critical: bool) -> Case:
    """Set the criticality of an extension; add the extension if the certificate has none."""
    extension = case.extension(oid) or Extension(oid, critical, SAMPLES.get(oid, der.octet_string(b"\x01")))
    return case.with_extension(replace(extension, critical=critical))


def _twice(case: Case) -> Case:
    return case.change(extensions=(*case.plan.extensions, case.plan.extensions[-1]))
