"""When a certificate is valid, and how its times are written (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pkigen.asn1 import der
from pkigen.cases.case import Case, Impossible
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp

_DAY, _SECOND, _YEAR = timedelta(days=1), timedelta(seconds=1), timedelta(days=365)
_LONGEST = timedelta(days=397)
_NOT_BEFORE, _NOT_AFTER = (4, 0), (4, 1)
_UNREADABLE = (
    "path:malformed",
    "validity-in-order",
    "validity-form",
    "begun",
    "not-ended",
    "path-valid",
    "at-most-825-days",
    "not-before-past",
    "not-after-future",
    "chain-of-trust",
)
"""What is found of an end that cannot be read."""
_GENERALIZED = datetime(2050, 1, 1, tzinfo=UTC)
"""From when on a time is a GeneralizedTime."""
_NO_END = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def _length(case: Case) -> timedelta:
    return min(case.plan.not_after - case.plan.not_before, _LONGEST)


def _moved(case: Case, level: int, by: timedelta, *, to_end: bool) -> Case:
    """An authority's validity moved so that it ends, or begins, so long from the clock."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        shift = case.clock + by - (plan.not_after if to_end else plan.not_before)
        return replace(plan, not_before=plan.not_before + shift, not_after=plan.not_after + shift)

    return case.change_authority_plan(level, change)


def _written(case: Case, path: tuple[int, ...], tag: int, text: str) -> Case:
    return case.edit(Edit(path, EditOp.REPLACE, der.tlv(tag, text.encode())))


def _utc_end(case: Case, pattern: str) -> Case:
    """The end as a UTCTime of another form; ``%`` is as in strftime."""
    return _written(case, _NOT_AFTER, der.UTC_TIME, case.plan.not_after.strftime(pattern))


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:expired", "not-ended", "not-after-future"))
def expired(case: Case, *, by: timedelta = _DAY) -> Case:
    """It has expired, a day ago if nothing else is said.

    Clients say that it has expired. Renew it.
    """
    end = case.clock - by
    return case.change(not_before=end - _length(case), not_after=end)


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:expired", "ca-in-force", "path-valid", "chain-of-trust"))
def expired_intermediate(case: Case, *, by: timedelta = _DAY) -> Case:
    """Its issuing CA has expired, a day ago if nothing else is said.

    Clients say that a certificate of the chain has expired; renewing the server's own does not help.
    """
    return _moved(case, case.intermediate(), -by, to_end=True)


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:expired", "ca-in-force", "path-valid", "chain-of-trust"))
def expired_root(case: Case, *, by: timedelta = _DAY) -> Case:
    """Its root has expired, a day ago if nothing else is said.

    Most clients look at the dates of the trust anchor as well, although 6.1 does not ask for it.
    """
    return _moved(case, case.root, -by, to_end=True)


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:not-yet-valid", "begun", "not-before-past"))
def not_yet_valid(case: Case, *, by: timedelta = _YEAR) -> Case:
    """It is not valid yet, for a year if nothing else is said.

    Clients say that it is not valid yet: often the clock of one of the two is wrong.
    """
    begin = case.clock + by
    return case.change(not_before=begin, not_after=begin + _length(case))


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:not-yet-valid", "path-valid", "chain-of-trust"))
def not_yet_valid_intermediate(case: Case, *, by: timedelta = _YEAR) -> Case:
    """Its issuing CA is not valid yet, for a year if nothing else is said.

    Clients say that a certificate of the chain is not valid yet.
    """
    return _moved(case, case.intermediate(), by, to_end=False)


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:not-yet-valid", "path-valid", "chain-of-trust"))
def not_yet_valid_root(case: Case, *, by: timedelta = _YEAR) -> Case:
    """Its root is not valid yet, for a year if nothing else is said.

    Most clients look at the dates of the trust anchor as well.
    """
    return _moved(case, case.root, by, to_end=False)


@fault("R", "path", "4.1.2.5", finds=("path:expired", "validity-in-order", "not-ended", "not-after-future"))
def validity_inverted(case: Case) -> Case:
    """It ends before it begins.

    No instant lies within; clients say that it has expired.
    """
    return case.change(not_before=case.clock - _DAY, not_after=case.clock - 2 * _DAY)


@fault("R", "path", "4.1.2.5", finds=("path:expired", "not-ended", "not-after-future"))
def expired_by_one_second(case: Case) -> Case:
    """It ended a second before the build.

    The boundary: not_after is the last second that counts.
    """
    end = case.clock - _SECOND
    return case.change(not_before=end - _length(case), not_after=end)


@fault("A", "path", "4.1.2.5")
def expires_at_the_second(case: Case) -> Case:
    """It ends at the second of the build.

    A control: at that very second it is still valid, a second later it is not.
    """
    return case.change(not_before=case.clock - _length(case), not_after=case.clock)


@fault("V", "parse", "4.1.2.5", finds=("validity-form",))
def gentime_before_2050(case: Case) -> Case:
    """Its end is a GeneralizedTime before 2050.

    RFC 5280 wants UTCTime there; some parsers refuse it, most read it.
    """
    return _written(case, _NOT_AFTER, der.GENERALIZED_TIME, f"{case.plan.not_after:%Y%m%d%H%M%S}Z")


@fault("R", "path", "4.1.2.5.1", finds=("path:expired", "validity-in-order", "not-ended", "not-after-future"))
def utctime_2050_wrap(case: Case) -> Case:
    """Its end is a UTCTime whose year is 50, which reads as 1950.

    What was meant as 2050 ended long ago.
    """
    return _written(case, _NOT_AFTER, der.UTC_TIME, "500101000000Z")


@fault(
    "V",
    "parse",
    "4.1.2.5.1",
    finds=_UNREADABLE,
)
def time_no_seconds(case: Case) -> Case:
    """Its end has no seconds.

    X.690 allows it in BER, DER does not.
    """
    return _utc_end(case, "%y%m%d%H%MZ")


@fault(
    "V",
    "parse",
    "4.1.2.5.1",
    finds=_UNREADABLE,
)
def time_tz_offset(case: Case) -> Case:
    """Its end has an offset from UTC in the place of Z.

    Only Z is allowed; some parsers convert the offset.
    """
    return _utc_end(case, "%y%m%d%H%M%S+0100")


@fault(
    "R",
    "parse",
    "4.1.2.5",
    finds=_UNREADABLE,
)
def time_no_z(case: Case) -> Case:
    """Its end has no Z.

    A time without a zone is local to nobody.
    """
    return _utc_end(case, "%y%m%d%H%M%S")


@fault(
    "R",
    "parse",
    "4.1.2.5.2",
    finds=_UNREADABLE,
)
def time_fraction(case: Case) -> Case:
    """Its end has a fraction of a second.

    GeneralizedTime, which is right from 2050 on, must not have one here.
    """
    case = case.change(not_after=max(case.plan.not_after, _GENERALIZED))
    return _written(case, _NOT_AFTER, der.GENERALIZED_TIME, f"{case.plan.not_after:%Y%m%d%H%M%S}.5Z")


@fault(
    "R",
    "parse",
    "4.1.2.5",
    finds=_UNREADABLE,
)
def time_bad_month(case: Case) -> Case:
    """Its end is in month 13.

    It is no date at all.
    """
    return _utc_end(case, "%y13%d%H%M%SZ")


@fault(
    "V",
    "parse",
    "4.1.2.5",
    finds=_UNREADABLE,
)
def time_feb30(case: Case) -> Case:
    """Its end is on February 30.

    Some parsers look at the digits and not at the calendar.
    """
    return _utc_end(case, "%y0230%H%M%SZ")


@fault(
    "V",
    "parse",
    "4.1.2.5",
    finds=_UNREADABLE,
)
def time_second_60(case: Case) -> Case:
    """Its end is at second 60.

    A leap second, which certificates know nothing of.
    """
    return _utc_end(case, "%y%m%d%H%M60Z")


@fault("A", "path", "4.1.2.5", finds=("at-most-825-days",))
def time_99991231(case: Case) -> Case:
    """It has no well-defined end: 99991231235959Z.

    A control: RFC 5280 gives this value for just that.
    """
    return case.change(not_after=_NO_END)


def _lasting(case: Case, days: int) -> Case:
    """Valid for a second longer than so many days, both ends counted."""
    return case.change(not_after=case.plan.not_before + timedelta(days=days))


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long(case: Case) -> Case:
    """It is valid for a second more than 398 days.

    More than public CAs were allowed until 2026; path validators do not count.
    """
    return _lasting(case, 398)


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long_200(case: Case) -> Case:
    """It is valid for a second more than 200 days.

    More than public CAs are allowed from 2026-03-15 on.
    """
    return _lasting(case, 200)


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long_100(case: Case) -> Case:
    """It is valid for a second more than 100 days.

    More than public CAs are allowed from 2027-03-15 on.
    """
    return _lasting(case, 100)


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long_47(case: Case) -> Case:
    """It is valid for a second more than 47 days.

    More than public CAs are allowed from 2029-03-15 on.
    """
    return _lasting(case, 47)


@fault("P", "lint", "4.1.2.5", finds=("at-most-825-days",))
def outlives_issuer(case: Case, *, by: timedelta = _DAY) -> Case:
    """It ends after its issuing CA does, a day if nothing else is said.

    It will be refused before its own end, together with its issuer.
    """
    if not case.authorities:
        raise Impossible("it is self-signed: there is no issuing CA that could end before it")
    if not case.authorities[0].certificates:
        raise Impossible(f"the authority '{case.authorities[0].name}' was brought from files")
    return case.change(not_after=case.authorities[0].certificates[0].not_after + by)
