"""Key usage, extended key usage, basic constraints (RFC 5280, 4.2.1.3, 4.2.1.12, 4.2.1.9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pkigen.asn1 import der, oids
from pkigen.asn1.der import named_bits
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import drop_path_length
from pkigen.documents.fields import Parsed, unknown
from pkigen.model import Extension
from pkigen.requirements.demand import Demand, Stage, Violation, demand
from pkigen.requirements.demands.public_key import Family
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
    passed,
)
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, Extensions
from pkigen.x509.extensions import key_usage


def _parse_usage(text: str) -> str:
    if text not in oids.KEY_USAGES:
        raise ValueError(unknown("key usage", text, oids.KEY_USAGES))
    return str(text)


def _parse_purpose(text: str) -> str:
    if text not in oids.EXTENDED_KEY_USAGES:
        raise ValueError(unknown("extended key usage", text, tuple(oids.EXTENDED_KEY_USAGES)))
    return str(text)


_CONSISTENT = {
    "serverAuth": ("digitalSignature", "keyEncipherment", "keyAgreement"),
    "clientAuth": ("digitalSignature", "keyAgreement"),
    "codeSigning": ("digitalSignature",),
    "emailProtection": ("digitalSignature", "nonRepudiation", "keyEncipherment", "keyAgreement"),
    "timeStamping": ("digitalSignature", "nonRepudiation"),
    "OCSPSigning": ("digitalSignature", "nonRepudiation"),
}
"""Purpose -> key usage bits that are consistent with it (RFC 5280, 4.2.1.12)."""
_OF_AUTHORITIES = ("keyCertSign", "cRLSign")

Usage = Annotated[str, Parsed(_parse_usage, "digitalSignature, keyCertSign ...")]
Purpose = Annotated[str, Parsed(_parse_purpose, "serverAuth, clientAuth ...")]


@demand
class KeyUsageDemand(Demand):
    """Key usage: present, with or without certain bits, with at least one bit, critical or not.

    ``allowed`` lists the bits that keys of a family may have. ``consistent``: each bit is consistent with one
    of the purposes of the extended key usage (4.2.1.12), unless the certificate is a CA certificate.
    """

    kind: ClassVar[str] = "key_usage"
    field: ClassVar[str | None] = oids.KEY_USAGE
    blame: ClassVar[tuple[str, ...]] = ("key_usage",)

    required: bool = False
    contains: tuple[Usage, ...] = ()
    lacks: tuple[Usage, ...] = ()
    some: bool = False
    critical: bool | None = None
    allowed: dict[Family, tuple[Usage, ...]] = Field(default_factory=dict)
    consistent: bool = False

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; a missing extension violates only ``required``."""
        extensions = certificate.extensions
        usages = extensions.key_usage
        if usages is None:
            return failed("no key usage", "one") if self.required else not_applicable("there is no key usage")
        text = ", ".join(usages) or "no bit"
        if self.critical is not None and _is_critical(extensions, oids.KEY_USAGE) is not self.critical:
            return failed(_words(not self.critical), _words(self.critical))
        if self.some and not usages:
            return failed(text, "at least one bit")
        missing = [usage for usage in self.contains if usage not in usages]
        surplus = [usage for usage in self.lacks if usage in usages]
        family = certificate.public_key.family if self.allowed else ""
        if excess := [usage for usage in usages if usage not in self.allowed.get(family, usages)]:
            return failed(text, f"no {', '.join(excess)} for this kind of key")
        if self.consistent and (excess := _inconsistent(certificate, usages)):
            purposes = ", ".join(extensions.extended_key_usage or ())
            return failed(text, f"no {', '.join(excess)}, which no purpose of {purposes} uses")
        expected = ", ".join([*self.contains, *(f"no {usage}" for usage in self.lacks)])
        return pass_or_fail(not missing and not surplus, text, expected)

    def violations(self) -> Iterator[Violation]:
        """Missing, without a bit, with an extra bit, with the other criticality."""
        oid = oids.KEY_USAGE
        if self.required:
            yield Violation(
                "missing", "The certificate has no key usage.", lambda case: case.without_extension(oid)
            )
        for usage in self.contains:
            words = f"The key usage does not include {usage}."
            # RFC 5280, 6.3.3 (f): a CRL of a CA without cRLSign is invalid.
            stage: Stage = "revocation" if usage == "cRLSign" else None
            yield Violation(f"no-{usage.lower()}", words, partial(_without_usage, usage), stage)
        for usage in self.lacks:
            words = f"The key usage includes {usage}."
            yield Violation(usage.lower(), words, _with_usages(partial(_also, usage)))
        if self.some:
            yield Violation("none", "The key usage has no bit set.", _with_usages(lambda _usages: set()))
        if self.allowed:
            says = "The key usage has a bit that does not suit the kind of key."
            yield Violation("not-allowed", says, self._with_excess)
        if self.consistent:
            says = "The key usage has dataEncipherment, which no purpose of the extended key usage uses."
            yield Violation("inconsistent", says, _with_inconsistent_usage)
        if self.critical is not None:
            yield _other_criticality(oid, "key usage", self.critical)

    def _with_excess(self, case: Case) -> Case:
        family = case.entity.key.partition("-")[0]
        allowed = self.allowed.get(family, oids.KEY_USAGES)
        excess = [usage for usage in oids.KEY_USAGES if usage not in allowed]
        if not excess:
            raise Impossible("every key usage bit is allowed for this kind of key")
        return _with_usages(partial(_also, excess[-1]))(case)


def _inconsistent(certificate: Certificate, usages: tuple[str, ...]) -> list[str]:
    """Return the key usage bits that are consistent with none of the purposes."""
    purposes = certificate.extensions.extended_key_usage
    if not purposes or certificate.is_authority or not all(purpose in _CONSISTENT for purpose in purposes):
        return []
    consistent = {usage for purpose in purposes for usage in _CONSISTENT[purpose]}
    return [usage for usage in usages if usage not in (*consistent, *_OF_AUTHORITIES)]


def _with_inconsistent_usage(case: Case) -> Case:
    if case.extension(oids.EXTENDED_KEY_USAGE) is None:
        case = _with_purposes(("serverAuth",), case)
    return _with_usages(partial(_also, "dataEncipherment"))(case)


@demand
class ExtendedKeyUsageDemand(Demand):
    """Extended key usage: present, with or without certain purposes, critical or not."""

    kind: ClassVar[str] = "extended_key_usage"
    field: ClassVar[str | None] = oids.EXTENDED_KEY_USAGE
    blame: ClassVar[tuple[str, ...]] = ("extended_key_usage",)

    required: bool = False
    contains: tuple[Purpose, ...] = ()
    lacks: tuple[Purpose, ...] = ()
    critical: bool | None = None

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; ``any`` includes every required purpose."""
        extensions = certificate.extensions
        purposes = extensions.extended_key_usage
        if purposes is None:
            if self.required:
                return failed("no extended key usage", ", ".join(self.contains) or "one")
            return not_applicable("there is no extended key usage")
        critical = _is_critical(extensions, oids.EXTENDED_KEY_USAGE)
        if self.critical is not None and critical is not self.critical:
            return failed(_words(not self.critical), _words(self.critical))
        missing = [p for p in self.contains if p not in purposes and "any" not in purposes]
        surplus = [p for p in self.lacks if p in purposes]
        expected = ", ".join([*self.contains, *(f"no {purpose}" for purpose in self.lacks)])
        return pass_or_fail(not missing and not surplus, ", ".join(purposes) or "no purpose", expected)

    def violations(self) -> Iterator[Violation]:
        """Missing, another purpose, a forbidden one, the other criticality."""
        oid = oids.EXTENDED_KEY_USAGE
        if self.required:
            words = "The certificate has no extended key usage."
            yield Violation("missing", words, lambda case: case.without_extension(oid))
        for purpose in self.contains:
            words = f"The extended key usage does not include {purpose}."
            other = "emailProtection" if purpose != "emailProtection" else "codeSigning"
            yield Violation(f"no-{purpose.lower()}", words, partial(_with_purposes, (other,)))
        for purpose in self.lacks:
            words = f"The extended key usage includes {purpose}."
            purposes = (*self.contains, purpose)
            yield Violation(purpose.lower(), words, partial(_with_purposes, purposes))
        if self.critical is not None:
            yield _other_criticality(oid, "extended key usage", self.critical)


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
        critical = _is_critical(extensions, oids.BASIC_CONSTRAINTS)
        if self.critical is not None and critical is not self.critical:
            return failed(_words(not self.critical), _words(self.critical))
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
            yield _other_criticality(oids.BASIC_CONSTRAINTS, "basic constraints", self.critical)

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


def _is_critical(extensions: Extensions, oid: str) -> bool:
    extension = extensions.raw(oid)
    return extension is not None and extension.critical


def _words(critical: bool) -> str:
    return "critical" if critical else "not critical"


def _other_criticality(oid: str, title: str, expected: bool) -> Violation:
    def apply(case: Case) -> Case:
        extension = case.extension(oid)
        assert extension is not None
        return case.with_extension(replace(extension, critical=not expected))

    return Violation(_words(not expected).replace(" ", "-"), f"The {title} is {_words(not expected)}.", apply)


def _with_usages(change: Callable[[set[str]], set[str]]) -> Callable[[Case], Case]:
    """Return a change of the key usage bits; the change adds the extension if there is none."""

    def apply(case: Case) -> Case:
        extension = case.extension(oids.KEY_USAGE)
        value = extension.value if extension is not None else None
        if not isinstance(value, bytes):
            value = der.bit_string(b"")
        bits = named_bits(change(set(key_usage(value))), oids.KEY_USAGES)
        return case.with_extension(Extension(oids.KEY_USAGE, extension is None or extension.critical, bits))

    return apply


def _without_usage(usage: str, case: Case) -> Case:
    case = _with_usages(partial(_without, usage))(case)
    return drop_path_length(case) if usage == "keyCertSign" else case


def _without(usage: str, usages: set[str]) -> set[str]:
    """Return the other bits, or one harmless bit: a key usage without bits would be another fault."""
    return usages - {usage} or {"keyAgreement" if usage != "keyAgreement" else "nonRepudiation"}


def _also(usage: str, usages: set[str]) -> set[str]:
    return usages | {usage}


def _with_purposes(purposes: tuple[str, ...], case: Case) -> Case:
    extension = case.extension(oids.EXTENDED_KEY_USAGE)
    value = der.sequence(*(der.oid(oids.EXTENDED_KEY_USAGES[purpose]) for purpose in purposes))
    critical = extension is not None and extension.critical
    return case.with_extension(Extension(oids.EXTENDED_KEY_USAGE, critical, value))


def _with_constraints(case: Case, *elements: bytes) -> Case:
    return case.with_extension(Extension(oids.BASIC_CONSTRAINTS, True, der.sequence(*elements)))
