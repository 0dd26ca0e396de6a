"""The validity period of a certificate (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import model_validator

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.clock import Span, parse_span, shift
from pkigen.documents.fields import Parsed
from pkigen.model import Edit, EditOp
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import (
    Outcome,
    failed,
    not_applicable,
    pass_or_fail,
    passed,
)
from pkigen.requirements.subject import CheckInput

_YEAR, _DAY, _SECOND = timedelta(days=365), timedelta(days=1), timedelta(seconds=1)
_DEFAULT = timedelta(days=397)


@demand
class ValidityDemand(Demand):
    """The validity period: begun, not ended, in order, with a maximum length, encoded in the right type."""

    kind: ClassVar[str] = "validity"
    field: ClassVar[str | None] = "validity"
    blame: ClassVar[tuple[str, ...]] = ("valid",)

    begun: bool = False
    not_ended: bool = False
    in_order: bool = False
    well_formed: bool = False
    maximum: Annotated[Span, Parsed(parse_span, "a duration, such as 398d")] | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> ValidityDemand:
        if not (self.begun or self.not_ended or self.in_order or self.well_formed or self.maximum):
            raise ValueError(
                "no condition given; set at least one of begun, not_ended, in_order, well_formed or maximum"
            )
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Check each condition that is set; the first violated condition is the outcome."""
        certificate = subject.certificate
        if certificate is None:
            return not_applicable("there is no certificate")
        not_before, not_after = certificate.not_before, certificate.not_after
        if self.begun and not_before > subject.now:
            return failed(f"not before {not_before:%Y-%m-%d %H:%M:%S}Z", "begun")
        if self.not_ended and not_after < subject.now:
            return failed(f"not after {not_after:%Y-%m-%d %H:%M:%S}Z", "not ended")
        if self.in_order and not_after < not_before:
            return failed("notAfter is before notBefore", "notBefore, then notAfter")
        if self.well_formed and certificate.times != (der.time(not_before), der.time(not_after)):
            return failed("GeneralizedTime for a year before 2050", "UTCTime until 2049")
        if self.maximum is not None:
            # notAfter is the last second of the period (4.1.2.5).
            length = not_after - not_before + _SECOND
            days = f"{length.total_seconds() / 86400:.6g} days"
            return pass_or_fail(
                length <= _longest_period(not_before, self.maximum), days, f"at most {self.maximum.text}"
            )
        return passed(f"{not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}")

    def violations(self) -> Iterator[Violation]:
        """Expired by a day and by a second, not yet valid, one second too long, inverted, the wrong type."""
        if self.not_ended:
            yield Violation(
                "expired", "The certificate expired one day ago.", lambda c: _expired(c, _DAY), "path"
            )
            words = "The certificate expired one second before the build."
            yield Violation("by-a-second", words, lambda c: _expired(c, _SECOND), "path")
        if self.begun:
            yield Violation(
                "not-yet-valid",
                "The certificate becomes valid one year after the build.",
                _not_yet_valid,
                "path",
            )
        if self.maximum is not None:
            yield Violation("too-long", "The validity period is one second too long.", self._too_long)
        if self.in_order:
            yield Violation("inverted", "notAfter is before notBefore.", _inverted, "path")
        if self.well_formed:
            yield Violation("general-time", "notAfter is a GeneralizedTime before 2050.", _general_time)

    def _too_long(self, case: Case) -> Case:
        assert self.maximum is not None
        return case.change(not_after=shift(case.plan.not_before, self.maximum))


def _longest_period(start: datetime, maximum: Span) -> timedelta:
    """Return the longest period from ``start`` on; unlimited if it ends beyond the calendar."""
    try:
        return shift(start, maximum) - start
    except (OverflowError, ValueError):
        return timedelta.max


def _expired(case: Case, ago: timedelta) -> Case:
    length = min(case.plan.not_after - case.plan.not_before, _DEFAULT)
    end = case.clock - ago
    return case.change(not_before=end - length, not_after=end)


def _not_yet_valid(case: Case) -> Case:
    length = min(case.plan.not_after - case.plan.not_before, _DEFAULT)
    return case.change(not_before=case.clock + _YEAR, not_after=case.clock + _YEAR + length)


def _inverted(case: Case) -> Case:
    """Put both ends into the past, so that no time is valid."""
    return case.change(not_before=case.clock - _DAY, not_after=case.clock - 2 * _DAY)


def _general_time(case: Case) -> Case:
    at = case.plan.not_after
    text = f"{at:%Y%m%d%H%M%S}Z".encode()
    return case.edit(Edit((4, 1), EditOp.REPLACE, der.tlv(der.GENERALIZED_TIME, text)))
