"""Extensions in general (RFC 5280, 4.2): presence, criticality, repetition, and whether they can be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import EMPTY_SEQUENCE, JUNK, SAMPLES, put
from pkigen.documents.fields import Parsed, parse_oid
from pkigen.model import Extension
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, Extensions

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
    """

    kind: ClassVar[str] = "extension"
    field: ClassVar[str | None] = None

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
        return (self.name, *self.names) if self.name else self.names

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check all extensions, then the named ones."""
        extensions = certificate.extensions
        problems = (
            (self.once, _repeated, "each extension once"),
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
        if self.critical is None or extension.critical is self.critical:
            return passed(_CRITICALITY[extension.critical], title)
        several = f"{title}: " if self.names else ""
        return failed(several + _CRITICALITY[extension.critical], _CRITICALITY[self.critical])

    def violations(self) -> Iterator[Violation]:
        """Missing, present, the wrong criticality; repeated, unknown and critical, unreadable, empty."""
        for oid in self._oids:
            yield from self._violations_of(oid)
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
