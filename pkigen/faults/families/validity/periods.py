"""When a certificate is valid, and how its times are written (RFC 5280, 4.1.2.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pkigen.asn1 import der
from pkigen.cases.case import Case, Impossible
from pkigen.faults.families.crl.changes import with_crl
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan, Edit, EditOp

_DAY, _SECOND, _YEAR = timedelta(days=1), timedelta(seconds=1), timedelta(days=365)
_LONGEST = timedelta(days=397)
_NOT_BEFORE, NOT_AFTER = (4, 0), (4, 1)
UNREADABLE = (
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
_HOUR = 3600
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


def _ended(case: Case, level: int, by: timedelta) -> Case:
    """An authority that has ended, after it issued what is below it."""
    case = _moved(case, level, -by, to_end=True)
    ended = case.authorities[level].certificates[0]
    begin = max(ended.not_before, ended.not_after - _DAY)

    def change(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, not_before=min(plan.not_before, begin))

    for number in range(level - 1, -1, -1):
        case = case.change_authority_plan(number, change)
    return case.change(not_before=min(case.plan.not_before, begin))


def _within_issuers(case: Case, end: datetime) -> Case:
    """The certificate with another end, under authorities that do not end before it."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, not_after=max(plan.not_after, end))

    for level in range(len(case.authorities) - 1, -1, -1):
        if any(plan.not_after < end for plan in case.authorities[level].certificates):
            case = case.change_authority_plan(level, change)
    return case.change(not_after=end)


def _written(case: Case, path: tuple[int, ...], tag: int, text: str) -> Case:
    return case.edit(Edit(path, EditOp.REPLACE, der.tlv(tag, text.encode())))


def _utc_end(case: Case, pattern: str) -> Case:
    """The end as a UTCTime of another form; ``%`` is as in strftime."""
    return _written(case, NOT_AFTER, der.UTC_TIME, case.plan.not_after.strftime(pattern))


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:expired", "not-ended", "not-after-future"))
def expired(case: Case, *, by: timedelta = _DAY) -> Case:
    """The certificate expired {by} ago.

    Clients report an expired certificate. Renew it.
    """
    end = case.clock - by
    return case.change(not_before=end - _length(case), not_after=end)


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:expired", "ca-in-force", "path-valid", "chain-of-trust"))
def expired_intermediate(case: Case, *, by: timedelta = _DAY) -> Case:
    """The issuing CA certificate expired {by} ago.

    Clients report an expired certificate in the chain. Renew the CA certificate; renewing the
    server certificate does not help.
    """
    return _ended(case, case.intermediate(), by)


@fault("V", "path", "6.1.1 (d)", finds=("path:expired", "ca-in-force", "path-valid", "chain-of-trust"))
def expired_root(case: Case, *, by: timedelta = _DAY) -> Case:
    """The root certificate expired {by} ago.

    Validators that use only the name and key of a trust anchor accept the path; others report an
    expired certificate. Install a new root.
    """
    return _ended(case, case.root, by)


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:not-yet-valid", "begun", "not-before-past"))
def not_yet_valid(case: Case, *, by: timedelta = _YEAR) -> Case:
    """The certificate becomes valid only in {by}.

    Clients report that the certificate is not yet valid. Check the clocks of the client and of the
    CA.
    """
    begin = case.clock + by
    return case.change(not_before=begin, not_after=begin + _length(case))


@fault("R", "path", "6.1.3 (a)(2)", finds=("path:not-yet-valid", "path-valid", "chain-of-trust"))
def not_yet_valid_intermediate(case: Case, *, by: timedelta = _YEAR) -> Case:
    """The issuing CA certificate becomes valid only in {by}.

    Clients report that a certificate in the chain is not yet valid. Check the clocks.
    """
    return _moved(case, case.intermediate(), by, to_end=False)


@fault("V", "path", "6.1.1 (d)", finds=("path:not-yet-valid", "path-valid", "chain-of-trust"))
def not_yet_valid_root(case: Case, *, by: timedelta = _YEAR) -> Case:
    """The root certificate becomes valid only in {by}.

    Validators that use only the name and key of a trust anchor accept the path; others report that
    a certificate is not yet valid. Check the clocks.
    """
    return _moved(case, case.root, by, to_end=False)


@fault("R", "path", "4.1.2.5", finds=("path:expired", "validity-in-order", "not-ended", "not-after-future"))
def validity_inverted(case: Case) -> Case:
    """The certificate has a notAfter date that is earlier than its notBefore date.

    The certificate is never valid; clients report that it has expired.
    """
    return case.change(not_before=case.clock - _DAY, not_after=case.clock - 2 * _DAY)


@fault("R", "path", "4.1.2.5", finds=("path:expired", "not-ended", "not-after-future"))
def expired_by_one_second(case: Case) -> Case:
    """The certificate expired one second before the build.

    Clients report an expired certificate. This tests the boundary: notAfter is the last valid
    second.
    """
    end = case.clock - _SECOND
    return case.change(not_before=end - _length(case), not_after=end)


@fault("R", "path", "4.1.2.5", finds=("path:not-yet-valid", "begun", "not-before-past"))
def not_yet_valid_by_one_minute(case: Case) -> Case:
    """The certificate becomes valid one minute after the build.

    Clients report that the certificate is not yet valid, except those that permit some difference of the
    clocks.
    """
    begin = case.clock + timedelta(minutes=1)
    return case.change(not_before=begin, not_after=begin + _length(case))


@fault("A", "path", "4.1.2.5")
def expires_at_the_second(case: Case) -> Case:
    """The certificate expires in the second of the build.

    Clients must accept it at exactly that second, and reject it one second later (control case).
    """
    case = case.change(not_before=case.clock - _length(case), not_after=case.clock)
    if not case.authorities or case.authorities[0].crl is None or case.authorities[0].imported is not None:
        return case
    # Otherwise its CRL would begin when it ends.
    return with_crl(case, age=_HOUR)


@fault("V", "parse", "4.1.2.5", finds=("validity-form",))
def gentime_before_2050(case: Case) -> Case:
    """The certificate has a notAfter date before 2050 encoded as GeneralizedTime.

    RFC 5280 requires UTCTime through 2049; some parsers reject the certificate, most accept it.
    """
    return _written(case, NOT_AFTER, der.GENERALIZED_TIME, f"{case.plan.not_after:%Y%m%d%H%M%S}Z")


@fault("R", "path", "4.1.2.5.1", finds=("path:expired", "validity-in-order", "not-ended", "not-after-future"))
def utctime_2050_wrap(case: Case) -> Case:
    """The certificate has a UTCTime notAfter date with the year 50, which means 1950.

    Clients report an expired certificate. Encode dates from 2050 on as GeneralizedTime.
    """
    return _written(case, NOT_AFTER, der.UTC_TIME, "500101000000Z")


@fault(
    "V",
    "parse",
    "4.1.2.5.1",
    finds=UNREADABLE,
)
def time_no_seconds(case: Case) -> Case:
    """The certificate has a notAfter date without seconds.

    BER allows this, DER does not; strict parsers reject the certificate.
    """
    return _utc_end(case, "%y%m%d%H%MZ")


@fault(
    "V",
    "parse",
    "4.1.2.5.1",
    finds=UNREADABLE,
)
def time_tz_offset(case: Case) -> Case:
    """The certificate has a notAfter date with an offset from UTC instead of Z.

    RFC 5280 allows only Z; some parsers convert the offset, others reject the certificate.
    """
    return _utc_end(case, "%y%m%d%H%M%S+0100")


@fault(
    "R",
    "parse",
    "4.1.2.5",
    finds=UNREADABLE,
)
def time_no_z(case: Case) -> Case:
    """The certificate has a notAfter date without the final Z.

    Parsers reject the certificate, because the time zone is undefined.
    """
    return _utc_end(case, "%y%m%d%H%M%S")


@fault(
    "R",
    "parse",
    "4.1.2.5.2",
    finds=UNREADABLE,
)
def time_fraction(case: Case) -> Case:
    """The certificate has a notAfter date with a fraction of a second.

    RFC 5280 does not allow fractional seconds; most parsers reject the certificate.
    """
    case = _within_issuers(case, max(case.plan.not_after, _GENERALIZED))
    return _written(case, NOT_AFTER, der.GENERALIZED_TIME, f"{case.plan.not_after:%Y%m%d%H%M%S}.5Z")


@fault(
    "R",
    "parse",
    "4.1.2.5",
    finds=UNREADABLE,
)
def time_bad_month(case: Case) -> Case:
    """The certificate has a notAfter date in month 13.

    Parsers reject the certificate, because the date does not exist.
    """
    return _utc_end(case, "%y13%d%H%M%SZ")


@fault(
    "V",
    "parse",
    "4.1.2.5",
    finds=UNREADABLE,
)
def time_feb30(case: Case) -> Case:
    """The certificate has a notAfter date of February 30.

    Parsers that check the calendar reject it; others check only the range of each number.
    """
    return _utc_end(case, "%y0230%H%M%SZ")


@fault(
    "V",
    "parse",
    "4.1.2.5",
    finds=UNREADABLE,
)
def time_second_60(case: Case) -> Case:
    """The certificate has a notAfter date at second 60.

    Leap seconds are not valid in certificates; some parsers accept them.
    """
    return _utc_end(case, "%y%m%d%H%M60Z")


@fault("A", "path", "4.1.2.5", finds=("at-most-825-days",))
def time_99991231(case: Case) -> Case:
    """The certificate has no well-defined expiration date (99991231235959Z).

    Clients must accept it: RFC 5280 defines this value for that purpose (control case).
    """
    return _within_issuers(case, _NO_END)


def _lasting(case: Case, days: int) -> Case:
    """Valid for a second longer than so many days, both ends counted."""
    return case.change(not_after=case.plan.not_before + timedelta(days=days))


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long(case: Case) -> Case:
    """The certificate is valid for 398 days and one second.

    Linters report it: until 2026-03-14, public CAs could issue for at most 398 days. Path
    validators do not check this.
    """
    return _lasting(case, 398)


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long_200(case: Case) -> Case:
    """The certificate is valid for 200 days and one second.

    Linters report it: from 2026-03-15, public CAs may issue for at most 200 days.
    """
    return _lasting(case, 200)


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long_100(case: Case) -> Case:
    """The certificate is valid for 100 days and one second.

    Linters report it: from 2027-03-15, public CAs may issue for at most 100 days.
    """
    return _lasting(case, 100)


@fault("P", "lint", "CABF BR 6.3.2")
def validity_too_long_47(case: Case) -> Case:
    """The certificate is valid for 47 days and one second.

    Linters report it: from 2029-03-15, public CAs may issue for at most 47 days.
    """
    return _lasting(case, 47)


@fault("P", "lint", "good practice", finds=("at-most-825-days",))
def outlives_issuer(case: Case, *, by: timedelta = _DAY) -> Case:
    """The certificate expires {by} after its issuing CA.

    Clients reject it as soon as the CA certificate has expired. Issue it for a shorter period, or
    renew the CA first.
    """
    if not case.authorities:
        raise Impossible("it is self-signed and has no issuing CA that could expire first")
    if not case.authorities[0].certificates:
        raise Impossible(f"the authority '{case.authorities[0].name}' was imported from files")
    return case.change(not_after=case.authorities[0].certificates[0].not_after + by)
