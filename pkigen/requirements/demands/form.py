"""Version, serial number, unique identifiers, and extensions by OID."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.documents.fields import Parsed, parse_oid
from pkigen.model import Edit, EditOp, Extension
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
)
from pkigen.requirements.subject import CheckInput

_NAMES = {title.lower().replace(" ", "_"): oid for oid, title in oids.TITLES.items()}
_UNKNOWN = "1.3.6.1.4.1.55738.99.1"


def _parse_extension(text: str) -> str:
    return _NAMES.get(text) or parse_oid(text)


@demand
class VersionDemand(Demand):
    """The version, as people count (RFC 5280, 4.1.2.1)."""

    kind: ClassVar[str] = "version"
    field: ClassVar[str | None] = "version"

    equals: Annotated[int, Field(ge=1, le=3)]

    def check(self, subject: CheckInput) -> Outcome:
        """One number."""
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        version = subject.certificate.version
        return pass_or_fail(version == self.equals, f"version {version}", f"version {self.equals}")

    def violations(self) -> Iterator[Violation]:
        """Another number in the field; everything else stays."""
        other = 2 if self.equals == 3 else 3
        edit = Edit((0,), EditOp.REPLACE, der.explicit(0, der.integer(other - 1)))
        yield Violation("", f"It says that it has version {other}.", lambda case: case.edit(edit))


@demand
class SerialDemand(Demand):
    """The serial number: positive, of at most so many octets, of the shortest form (4.1.2.2)."""

    kind: ClassVar[str] = "serial"
    field: ClassVar[str | None] = "serial"

    positive: bool = False
    maximum_octets: Annotated[int, Field(ge=1, le=1000)] | None = None
    minimum_bits: Annotated[int, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> SerialDemand:
        if not (self.positive or self.maximum_octets or self.minimum_bits):
            raise ValueError("this says nothing: give positive, maximum_octets or minimum_bits")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Sign, then length."""
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        serial, octets = subject.certificate.serial, subject.certificate.serial_octets
        if self.positive and serial <= 0:
            return failed(str(serial), "a positive number")
        if self.maximum_octets is not None and len(octets) > self.maximum_octets:
            return failed(f"{len(octets)} octets", f"at most {self.maximum_octets} octets")
        least = self.minimum_bits
        wanted = f"at least {least} bits" if least else "a positive number" if self.positive else ""
        return pass_or_fail(not least or serial.bit_length() >= least, f"{len(octets)} octets", wanted)

    def violations(self) -> Iterator[Violation]:
        """Zero, negative; an octet too long; too short."""
        if self.positive:
            yield Violation("zero", "Its serial number is 0.", lambda case: _alone(case).change(serial=0))
            yield Violation(
                "negative",
                "Its serial number is negative.",
                lambda case: case.change(serial=-(case.plan.serial >> 8) - 1),
            )
        if (most := self.maximum_octets) is not None:
            words = f"Its serial number has {most + 1} octets."
            yield Violation(f"{most + 1}-octets", words, partial(_of_octets, most + 1))
        if self.minimum_bits is not None and self.minimum_bits > 8:
            yield Violation("short", "Its serial number is short.", _short)


def _of_octets(octets: int, case: Case) -> Case:
    """A positive number of exactly so many octets in DER, drawn with the sound one."""
    low = case.plan.serial % (1 << (octets * 8 - 8))
    return case.change(serial=low | 1 << (octets * 8 - 2))


def _short(case: Case) -> Case:
    return _alone(case).change(serial=case.plan.serial % 127 + 1)


def _alone(case: Case) -> Case:
    """The case under an issuer of its own, which has given the number to nobody else."""
    return case.change_authority(0, lambda entity: entity)


@demand
class ExtensionDemand(Demand):
    """Extensions by OID or title: required, forbidden, critical or not; none twice.

    ``name`` is a dotted OID, or a title such as ``subject_key_identifier``. Without one the demand
    is about all extensions: ``once`` wants none of them twice, ``known`` no critical one that is unknown.
    """

    kind: ClassVar[str] = "extension"
    field: ClassVar[str | None] = None

    name: Annotated[str, Parsed(_parse_extension, "an OID, or a title")] | None = None
    required: bool = False
    forbidden: bool = False
    critical: bool | None = None
    once: bool = False
    known: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> ExtensionDemand:
        if self.name is None and (self.required or self.forbidden or self.critical is not None):
            raise ValueError("'name' is missing: which extension is it about?")
        if self.required and self.forbidden:
            raise ValueError("an extension cannot be required and forbidden")
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Over all extensions, or one of them."""
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        held = subject.certificate.extensions
        if self.once:
            twice = [oids.TITLES.get(oid, oid) for oid, n in Counter(e.oid for e in held).items() if n > 1]
            if twice:
                return failed(f"{', '.join(twice)} more than once", "each extension once")
        if self.known:
            unknown = [e.oid for e in held if e.critical and e.oid not in oids.TITLES]
            if unknown:
                return failed(f"{', '.join(unknown)} is critical", "no unknown critical extension")
        return self._check_one(subject) if self.name else pass_or_fail(True, f"{len(held)} extensions", "")

    def _check_one(self, subject: CheckInput) -> Outcome:
        assert self.name is not None
        assert subject.certificate is not None
        title = oids.TITLES.get(self.name, self.name)
        found = subject.certificate.extensions.raw(self.name)
        if found is None:
            if self.name == oids.AUTHORITY_KEY_IDENTIFIER and subject.certificate.is_self_issued:
                return not_applicable("it is self-signed (RFC 5280, 4.2.1.1)")
            if self.required:
                return failed(f"no {title}", f"the extension {title}")
            return (
                pass_or_fail(True, f"no {title}", "")
                if self.forbidden
                else not_applicable(f"it has no {title}")
            )
        if self.forbidden:
            return failed(title, f"no {title}")
        words = {True: "critical", False: "not critical"}
        return pass_or_fail(
            self.critical is None or found.critical is self.critical,
            words[found.critical],
            title if self.critical is None else words[self.critical],
        )

    def violations(self) -> Iterator[Violation]:
        """Missing, there, of the other criticality; twice; unknown and critical."""
        if self.name is not None:
            yield from self._violations_of(self.name)
        if self.once:
            yield Violation("repeated", "One of its extensions is there twice.", _twice, "path")
        if self.known:
            extension = Extension(_UNKNOWN, True, der.null())
            words = "It has a critical extension that nobody knows."
            yield Violation("unknown-critical", words, lambda c: c.with_extension(extension), "path")

    def _violations_of(self, oid: str) -> Iterator[Violation]:
        title = oids.TITLES.get(oid, oid)
        if self.required:
            yield Violation("missing", f"It has no {title}.", lambda case: case.without_extension(oid))
        if self.forbidden:
            yield Violation(
                "present",
                f"It has the extension {title}.",
                lambda case: case.with_extension(Extension(oid, False, der.null())),
            )
        if self.critical is not None:
            words = f"Its {title} is {'not ' if self.critical else ''}critical."
            yield Violation("criticality", words, lambda case: _switched(case, oid, not self.critical))


def _switched(case: Case, oid: str, critical: bool) -> Case:
    held = case.extension(oid)
    extension = held or Extension(oid, critical, der.octet_string(b"\x01"))
    return case.with_extension(replace(extension, critical=critical))


def _twice(case: Case) -> Case:
    """The last one again: whatever it says, it says the same twice."""
    return case.change(extensions=(*case.plan.extensions, case.plan.extensions[-1]))


@demand
class UniqueIdentifiers(Demand):
    """Issuer and subject unique identifiers, which CAs must not make (4.1.2.8)."""

    kind: ClassVar[str] = "unique_identifiers"
    field: ClassVar[str | None] = None

    def check(self, subject: CheckInput) -> Outcome:
        """Neither."""
        if subject.certificate is None:
            return not_applicable("there is no certificate")
        has = subject.certificate.has_unique_identifiers
        return pass_or_fail(not has, "unique identifiers" if has else "none", "none")

    def violations(self) -> Iterator[Violation]:
        """Both, between the key and the extensions."""
        data = der.tlv(0x81, b"\x00\x01") + der.tlv(0x82, b"\x00\x02")
        edit = Edit((7,), EditOp.INSERT, data)
        yield Violation("", "It has unique identifiers.", lambda case: case.edit(edit))
