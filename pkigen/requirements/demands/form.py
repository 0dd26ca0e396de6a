"""Version, serial number and unique identifiers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.documents.fields import parse_oid
from pkigen.model import Edit, EditOp
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    pass_or_fail,
)
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate

_NAMES = {title.lower().replace(" ", "_"): oid for oid, title in oids.TITLES.items()}
_UNKNOWN = "1.3.6.1.4.1.55738.99.1"


def _parse_extension(text: str) -> str:
    return _NAMES.get(text) or parse_oid(text)


@demand
class VersionDemand(Demand):
    """The version (RFC 5280, 4.1.2.1).

    ``fits``: a certificate with extensions has version 3, one with unique identifiers version 2 or 3.
    """

    kind: ClassVar[str] = "version"
    field: ClassVar[str | None] = "version"

    equals: Annotated[int, Field(ge=1, le=3)] | None = None
    fits: bool = False

    @model_validator(mode="after")
    def _has_a_condition(self) -> VersionDemand:
        if self.equals is None and not self.fits:
            raise ValueError("no condition given; set at least one of equals, fits")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Compare the version."""
        version = certificate.version
        expected = self.equals or _needed_version(certificate)
        holds = version == self.equals if self.equals else version >= expected
        return pass_or_fail(holds, f"version {version}", f"version {expected}")

    def violations(self) -> Iterator[Violation]:
        """Another version; all other fields are unchanged."""
        other = 3 if self.equals in (1, 2) else 2
        edit = Edit((0,), EditOp.REPLACE, der.explicit(0, der.integer(other - 1)))
        yield Violation("", f"The version of the certificate is {other}.", lambda case: case.edit(edit))


def _needed_version(certificate: Certificate) -> int:
    if certificate.has_extensions:
        return 3
    return 2 if certificate.has_unique_identifiers else 1


@demand
class SerialDemand(Demand):
    """The serial number: positive, with a maximum length in bytes and a minimum length in bits (4.1.2.2)."""

    kind: ClassVar[str] = "serial"
    field: ClassVar[str | None] = "serial"

    positive: bool = False
    maximum_octets: Annotated[int, Field(ge=1, le=1000)] | None = None
    minimum_bits: Annotated[int, Field(ge=1, le=1000)] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> SerialDemand:
        if not (self.positive or self.maximum_octets or self.minimum_bits):
            raise ValueError(
                "no condition given; set at least one of positive, maximum_octets or minimum_bits"
            )
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check the sign, then the length."""
        serial, length = certificate.serial, len(certificate.serial_bytes)
        if self.positive and serial <= 0:
            return failed(str(serial), "a positive number")
        if self.maximum_octets is not None and length > self.maximum_octets:
            return failed(f"{length} bytes", f"at most {self.maximum_octets} bytes")
        least = self.minimum_bits
        expected = f"at least {least} bits" if least else "a positive number" if self.positive else ""
        return pass_or_fail(not least or serial.bit_length() >= least, f"{length} bytes", expected)

    def violations(self) -> Iterator[Violation]:
        """Zero, negative, one byte too long, too short."""
        if self.positive:
            yield Violation("zero", "The serial number is 0.", lambda case: _alone(case).change(serial=0))
            yield Violation(
                "negative",
                "The serial number is negative.",
                lambda case: case.change(serial=-(case.plan.serial >> 8) - 1),
            )
        if (most := self.maximum_octets) is not None:
            words = f"The serial number has {most + 1} bytes."
            yield Violation(f"{most + 1}-octets", words, partial(_with_length, most + 1))
        if self.minimum_bits is not None and self.minimum_bits > 8:
            yield Violation("short", "The serial number has fewer than 8 bits.", _short)


def _with_length(length: int, case: Case) -> Case:
    """Return the case with a positive serial number of ``length`` bytes, derived from the planned number."""
    low = case.plan.serial % (1 << (length * 8 - 8))
    return case.change(serial=low | 1 << (length * 8 - 2))


def _short(case: Case) -> Case:
    return _alone(case).change(serial=case.plan.serial % 127 + 1)


def _alone(case: Case) -> Case:
    """Return the case with an issuing CA of its own, so that its serial number stays unique."""
    return case.change_authority(0, lambda entity: entity)


@demand
class UniqueIdentifiers(Demand):
    """No issuer or subject unique identifiers: CAs must not generate them (4.1.2.8)."""

    kind: ClassVar[str] = "unique_identifiers"
    field: ClassVar[str | None] = None

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check that the certificate has neither identifier."""
        has = certificate.has_unique_identifiers
        return pass_or_fail(not has, "unique identifiers" if has else "none", "none")

    def violations(self) -> Iterator[Violation]:
        """Both identifiers, between the key and the extensions."""
        data = der.tlv(0x81, b"\x00\x01") + der.tlv(0x82, b"\x00\x02")
        edit = Edit((7,), EditOp.INSERT, data)
        yield Violation("", "The certificate has unique identifiers.", lambda case: case.edit(edit))
