"""When a certificate is valid, and for how long (RFC 5280, 4.1.2.5)."""

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
    """In force: begun, not ended; at most so long; in the right order; written in the right type."""

    kind: ClassVar[str] = "validity"
    field: ClassVar[str | None] = "validity"
    blame: ClassVar[tuple[str, ...]] = ("valid",)

    begun: bool = False
    not_ended: bool = False
    in_order: bool = False
    well_formed: bool = False
    maximum: Annotated[Span, Parsed(parse_span, "a length, such as 398d")] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> ValidityDemand:
        if not (self.begun or self.not_ended or self.in_order or self.well_formed or self.maximum):
            raise ValueError(
                "no condition given; set at least one of begun, not_ended, in_order, well_formed or maximum"
            )
        return self

    def check(self, subject: CheckInput) -> Outcome:
        """Each part that is asked for; the first that fails is the outcome."""
        found = subject.certificate
        if found is None:
            return not_applicable("there is no certificate")
        not_before, not_after = found.not_before, found.not_after
        if self.begun and not_before > subject.now:
            return failed(f"not before {not_before:%Y-%m-%d %H:%M:%S}Z", "begun")
        if self.not_ended and not_after < subject.now:
            return failed(f"not after {not_after:%Y-%m-%d %H:%M:%S}Z", "not ended")
        if self.in_order and not_after < not_before:
            return failed("it ends before it begins", "not_before, then not_after")
        if self.well_formed and found.times != (der.time(not_before), der.time(not_after)):
            return failed("GeneralizedTime for a year before 2050", "UTCTime until 2049")
        if self.maximum is not None:
            # not_after is the last second that counts (4.1.2.5).
            length = not_after - not_before + _SECOND
            days = f"{length.total_seconds() / 86400:.6g} days"
            return pass_or_fail(
                length <= _longest(not_before, self.maximum), days, f"at most {self.maximum.text}"
            )
        return passed(f"{not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}")

    def violations(self) -> Iterator[Violation]:
        """Long ago and by a second; in the future; a second too long."""
        if self.not_ended:
            yield Violation(
                "expired", "The certificate expired one day ago.", lambda c: _ended(c, _DAY), "path"
            )
            words = "The certificate expired one second before the build."
            yield Violation("by-a-second", words, lambda c: _ended(c, _SECOND), "path")
        if self.begun:
            yield Violation(
                "not-yet-valid", "The certificate becomes valid one year after the build.", _not_begun, "path"
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


def _longest(start: datetime, maximum: Span) -> timedelta:
    """A span from an instant on; what leads beyond the calendar has no end."""
    try:
        return shift(start, maximum) - start
    except (OverflowError, ValueError):
        return timedelta.max


def _ended(case: Case, ago: timedelta) -> Case:
    length = min(case.plan.not_after - case.plan.not_before, _DEFAULT)
    end = case.clock - ago
    return case.change(not_before=end - length, not_after=end)


def _not_begun(case: Case) -> Case:
    length = min(case.plan.not_after - case.plan.not_before, _DEFAULT)
    return case.change(not_before=case.clock + _YEAR, not_after=case.clock + _YEAR + length)


def _inverted(case: Case) -> Case:
    """Both ends in the past: whatever is done, a clock cannot stand between them."""
    return case.change(not_before=case.clock - _DAY, not_after=case.clock - 2 * _DAY)


def _general_time(case: Case) -> Case:
    at = case.plan.not_after
    text = f"{at:%Y%m%d%H%M%S}Z".encode()
    return case.edit(Edit((4, 1), EditOp.REPLACE, der.tlv(der.GENERALIZED_TIME, text)))
