"""The validity period of a certificate (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from pkigen.asn1 import der
from pkigen.cases.validity_periods import (
    backdated,
    before_issuer,
    ending,
    ending_after,
    expired,
    general_time,
    inverted,
    not_yet_valid,
    outliving_issuer,
    too_long,
    too_short,
    with_limit_at,
)
from pkigen.clock import FIRST, LAST, Span, parse_moment, parse_span, shift
from pkigen.documents.fields import Parsed, Schema, Value
from pkigen.keys.verify import may_be_self_signed
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.outcome import Outcome, Status, failed, passed, undecided
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.timestamps import latest_timestamp

_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_INCLUSIVE = ", including the second of notAfter (RFC 5280, 4.1.2.5)"
_SAMPLE = datetime(2026, 1, 1, tzinfo=UTC)


def _parse_length(text: str) -> Span:
    span = parse_span(text)
    if span.months < 0 or span.seconds < 0:
        raise ValueError(f"'{text}' is negative; this must be a duration, such as 398d")
    return span


def _parse_duration(text: str) -> timedelta:
    span = _parse_length(text)
    if span.months:
        raise ValueError(f"'{text}' varies with the calendar; write days, hours, minutes or seconds")
    return timedelta(seconds=span.seconds)


def _parse_instant(text: str) -> datetime:
    moment = parse_moment(text)
    if isinstance(moment, Span):
        raise ValueError(f"'{text}' is a duration; this must be a date or a time, such as 2026-03-15")
    return moment


Length = Annotated[Span, Parsed(_parse_length, "a duration, such as 398d")]
Duration = Annotated[timedelta, Parsed(_parse_duration, "a duration in days, hours or less, such as 48h")]
Instant = Annotated[datetime, Parsed(_parse_instant, "a date or a time in UTC, such as 2026-03-15")]


class Limit(Value):
    """The maximum length of certificates that are issued before ``until``."""

    until: Instant | None = None
    length: Length = Field(alias="is")


class _OrDuration:
    """Annotation of a schedule whose short form is a single duration."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: [{"is": value}] if isinstance(value, str) else value, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> Schema:
        return {"anyOf": [{"type": "string", "description": "a duration, such as 398d"}, handler(schema)]}


@demand
class ValidityDemand(Demand):
    """The validity period: begun, not ended, in order, its length and its ends, encoded in the right type.

    ``maximum`` is a duration, or a schedule of durations: each applies to certificates whose notBefore, the
    date of issue, is before its ``until``. ``backdated_at_least`` and ``backdated_at_most`` compare notBefore
    with the time of signing. A file shows this time only roughly: it is after the timestamps of the embedded
    SCTs and before the check. ``ends_before``: notAfter is before this time. ``no_end``: notAfter is
    99991231235959Z (true), or is not (false). ``remaining`` is the minimum time from the check to notAfter.
    ``within_issuer``: the period is inside that of the issuing CA.
    """

    kind: ClassVar[str] = "validity"
    field: ClassVar[str | None] = "validity"
    blame: ClassVar[tuple[str, ...]] = ("valid",)

    begun: bool = False
    not_ended: bool = False
    in_order: bool = False
    well_formed: bool = False
    maximum: Annotated[tuple[Limit, ...], _OrDuration()] = ()
    minimum: Length | None = None
    backdated_at_least: Duration | None = None
    backdated_at_most: Duration | None = None
    ends_before: Instant | None = None
    no_end: bool | None = None
    remaining: Duration | None = None
    within_issuer: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> ValidityDemand:
        if all(value in (None, False, ()) for value in vars(self).values()) and self.no_end is None:
            fields = ", ".join(type(self).model_fields)
            raise ValueError(f"no condition given; set at least one of {fields}")
        if self.no_end and (self.maximum or self.ends_before):
            raise ValueError("'no_end: true' excludes 'maximum' and 'ends_before'")
        dates = [limit.until for limit in self.maximum[:-1]]
        if self.maximum and (None in dates or self.maximum[-1].until is not None):
            raise ValueError("each 'maximum' but the last one needs 'until', the last one has none")
        times = [at for at in dates if at is not None]
        if times != sorted(set(times)):
            raise ValueError("each 'until' must be later than the one before it")
        for limit in self.maximum:
            longest = period(_SAMPLE, limit.length)
            if self.minimum is not None and period(_SAMPLE, self.minimum) > longest:
                raise ValueError(
                    f"'minimum' ({self.minimum.text}) is more than 'maximum' ({limit.length.text})"
                )
            if self.remaining is not None and self.remaining > longest:
                raise ValueError(f"'remaining' is more than 'maximum' ({limit.length.text})")
        least, most = self.backdated_at_least, self.backdated_at_most
        if least is not None and most is not None and least > most:
            raise ValueError("'backdated_at_least' is more than 'backdated_at_most'")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check each condition that is set; the first violated condition is the outcome."""
        not_before, not_after = certificate.not_before, certificate.not_after
        if self.begun and not_before > subject.now:
            return failed(_text("not before", not_before), "begun")
        if self.not_ended and not_after < subject.now:
            return failed(_text("not after", not_after), "not ended")
        if self.in_order and not_after < not_before:
            return failed("notAfter is before notBefore", "notBefore, then notAfter")
        if self.well_formed and certificate.times != (der.time(not_before), der.time(not_after)):
            return failed("GeneralizedTime for a year before 2050", "UTCTime until 2049")
        outcome = self._check_length(not_before, not_after) or self._check_end(not_after, subject.now)
        if outcome is not None:
            return outcome
        others = (self._check_issuer(certificate, subject), self._check_start(certificate, subject))
        outcomes = [one for one in others if one is not None]
        failure = next((one for one in outcomes if one.status is Status.FAIL), None)
        return failure or next(iter(outcomes), passed(*self._summary(not_before, not_after)))

    def _summary(self, not_before: datetime, not_after: datetime) -> tuple[str, str]:
        """Return the actual and the expected value of a certificate that satisfies the demand."""
        if self.maximum:
            return _days(not_before, not_after), f"at most {self._limit_at(not_before).text}"
        return f"{not_before:%Y-%m-%d} to {not_after:%Y-%m-%d}", ""

    def _limit_at(self, issued: datetime) -> Span:
        return next(one.length for one in self.maximum if one.until is None or issued < one.until)

    def _check_length(self, not_before: datetime, not_after: datetime) -> Outcome | None:
        # notAfter is the last second of the period (4.1.2.5).
        length = not_after - not_before + _SECOND
        if self.maximum and length > period(not_before, limit := self._limit_at(not_before)):
            issued = f" for a certificate issued on {not_before:%Y-%m-%d}" if self.maximum[1:] else ""
            last = length - period(not_before, limit) == _SECOND
            return failed(
                _days(not_before, not_after),
                f"at most {limit.text}{issued}{_INCLUSIVE if last else ''}",
            )
        if self.minimum is not None and length < period(not_before, self.minimum):
            return failed(_days(not_before, not_after), f"at least {self.minimum.text}")
        return None

    def _check_end(self, not_after: datetime, now: datetime) -> Outcome | None:
        if self.ends_before is not None and not_after >= self.ends_before:
            return failed(_text("not after", not_after), _text("an end before", self.ends_before))
        if self.no_end is not None and (not_after == LAST) is not self.no_end:
            return failed(_text("not after", not_after), "99991231235959Z" if self.no_end else "an end")
        if self.remaining is not None and not_after - now < self.remaining:
            return failed(_text("not after", not_after), f"at least {_words(self.remaining)} after the check")
        return None

    def _check_issuer(self, certificate: Certificate, subject: CheckInput) -> Outcome | None:
        if not self.within_issuer or may_be_self_signed(certificate):
            return None
        if not subject.path:
            return undecided("the issuing CA's certificate was not given")
        first, last = subject.path[0].not_before, subject.path[0].not_after
        if certificate.not_before < first:
            return failed(_text("not before", certificate.not_before), _text("a start from", first))
        if certificate.not_after > last:
            return failed(_text("not after", certificate.not_after), _text("an end by", last))
        return None

    def _check_start(self, certificate: Certificate, subject: CheckInput) -> Outcome | None:
        """Compare notBefore with the earliest and the latest time at which the CA can have signed."""
        if self.backdated_at_least is None and self.backdated_at_most is None:
            return None
        start, latest = certificate.not_before, subject.signed_by or subject.now
        earliest = latest_timestamp(certificate) if subject.issued else latest
        least, most = self.backdated_at_least, self.backdated_at_most
        actual = _text("not before", start)
        if least is not None and latest - start < least:
            return failed(actual, f"at least {_words(least)} before the time of signing")
        if most is not None and earliest is not None and earliest - start > most:
            return failed(actual, f"at most {_words(most)} before the time of signing")
        late_enough = least is None or (earliest is not None and earliest - start >= least)
        if late_enough and (most is None or latest - start <= most):
            return None
        return undecided("a file does not show when it was signed")

    def violations(self) -> Iterator[Violation]:
        """Expired by a day and by a second, not yet valid, one second too long, inverted, the wrong type."""
        if self.not_ended:
            yield Violation("expired", "The certificate expired one day ago.", partial(expired, _DAY), "path")
            words = "The certificate expired one second before the build."
            yield Violation("by-a-second", words, partial(expired, _SECOND), "path")
        if self.begun:
            yield Violation(
                "not-yet-valid",
                "The certificate becomes valid one year after the build.",
                not_yet_valid,
                "path",
            )
        yield from self._of_length()
        yield from self._of_ends()
        if self.in_order:
            yield Violation("inverted", "notAfter is before notBefore.", inverted, "path")
        if self.well_formed:
            yield Violation("general-time", "notAfter is a GeneralizedTime before 2050.", general_time)

    def _of_length(self) -> Iterator[Violation]:
        """One second too long in each period of the schedule, the former limit on the day of a change."""
        start, former = FIRST, None
        for limit in self.maximum:
            date = _date(start)
            says = "The validity period is one second too long"
            if start > FIRST:
                says = f"{says} for a certificate issued from {date} on"
            change = partial(too_long, start, limit.until or LAST, limit.length)
            yield Violation("too-long" if start == FIRST else f"too-long-from-{date}", f"{says}.", change)
            if former is not None and period(start, former) > period(start, limit.length):
                says = f"The certificate was issued at {date} for {former.text}, the limit until then."
                yield Violation(f"late-{date}", says, partial(with_limit_at, start, former))
            start, former = limit.until or LAST, limit.length
        if self.minimum is not None:
            says = "The validity period is one second too short."
            yield Violation("too-short", says, partial(too_short, self.minimum))

    def _of_ends(self) -> Iterator[Violation]:
        if (least := self.backdated_at_least) is not None:
            says = f"notBefore is one second less than {_words(least)} before the time of signing."
            yield Violation("too-fresh", says, partial(backdated, least - _SECOND))
        if (most := self.backdated_at_most) is not None:
            says = f"notBefore is one second more than {_words(most)} before the time of signing."
            yield Violation("backdated", says, partial(backdated, most + _SECOND))
        if self.ends_before is not None:
            says = f"{_text('notAfter is', self.ends_before)}."
            yield Violation("late-end", says, partial(ending, self.ends_before))
        if self.no_end:
            yield Violation("end", "The certificate ends one second early.", partial(ending, LAST - _SECOND))
        elif self.no_end is False:
            yield Violation("no-end", "The certificate has no end.", partial(ending, LAST))
        if self.remaining is not None:
            says = f"The certificate ends one second less than {_words(self.remaining)} after the build."
            yield Violation("ends-soon", says, partial(ending_after, self.remaining - _SECOND))
        if self.within_issuer:
            says = "The certificate ends one second after the issuing CA's certificate."
            yield Violation("after-issuer", says, outliving_issuer)
            says = "The certificate begins one second before the issuing CA's certificate."
            yield Violation("before-issuer", says, before_issuer)


def period(start: datetime, span: Span) -> timedelta:
    """Return the length of a span from ``start`` on; unlimited if it ends beyond the calendar."""
    try:
        return shift(start, span) - start
    except (OverflowError, ValueError):
        return timedelta.max


def _days(not_before: datetime, not_after: datetime) -> str:
    length = not_after - not_before + _SECOND
    if length % _DAY == _SECOND:
        return f"{length.days} days and 1 second"
    return f"{length.total_seconds() / 86400:.6g} days"


def _words(duration: timedelta) -> str:
    days, seconds = duration.days, duration.seconds
    return f"{days} days" if days and not seconds else f"{duration.total_seconds() / 3600:g} hours"


def _text(words: str, at: datetime) -> str:
    return f"{words} {at:%Y-%m-%d %H:%M:%S}Z"


def _date(at: datetime) -> str:
    return f"{at:%Y-%m-%d}" if at.time() == FIRST.time() else f"{at:%Y-%m-%dt%H-%M-%Sz}"
