"""Changes the validity period of the end entity of a case, relative to the build clock and to limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from pkigen.asn1 import der
from pkigen.cases.case import Case, Impossible
from pkigen.clock import LAST, Span, shift
from pkigen.model import CertificatePlan, Edit, EditOp, Role

_YEAR, _DAY, _SECOND = timedelta(days=365), timedelta(days=1), timedelta(seconds=1)
_DEFAULT = timedelta(days=397)


def expired(ago: timedelta, case: Case) -> Case:
    """End some time before the build, after at most 397 days."""
    length = min(case.plan.not_after - case.plan.not_before, _DEFAULT)
    end = case.clock - ago
    return case.change(not_before=end - length, not_after=end)


def not_yet_valid(case: Case) -> Case:
    """Begin a year after the build."""
    length = min(case.plan.not_after - case.plan.not_before, _DEFAULT)
    return case.change(not_before=case.clock + _YEAR, not_after=case.clock + _YEAR + length)


def inverted(case: Case) -> Case:
    """Put both ends into the past, so that no time is valid."""
    return case.change(not_before=case.clock - _DAY, not_after=case.clock - 2 * _DAY)


def too_long(first: datetime, until: datetime, limit: Span, case: Case) -> Case:
    """Exceed the limit by a second, with the planned start if it is in the limit's period."""
    return with_limit_at(min(max(case.plan.not_before, first), until - _SECOND), limit, case, _SECOND)


def with_limit_at(start: datetime, limit: Span, case: Case, extra: timedelta = timedelta()) -> Case:
    """Set the start and the length; the certificate must be valid at the time of the build."""
    if start > case.clock:
        raise Impossible(f"the limit applies from {start:%Y-%m-%d} on; build with a later clock (--at)")
    if start != case.plan.not_before and case.authorities:
        issuer = case.authorities[0].certificates[0]
        if start < issuer.not_before:
            raise Impossible(f"the issuing CA begins after {start:%Y-%m-%d}, when the limit applied")
    end = _end(start, limit) + extra - _SECOND
    if end < case.clock:
        raise Impossible(f"a certificate issued at {start:%Y-%m-%d} for {limit.text} has expired")
    return case.change(not_before=start, not_after=end)


def _end(start: datetime, span: Span) -> datetime:
    try:
        return shift(start, span)
    except (OverflowError, ValueError) as error:
        raise Impossible(str(error)) from error


def too_short(least: Span, case: Case) -> Case:
    """Keep the start if the certificate is still valid then; otherwise begin at the time of the build."""
    for start in (case.plan.not_before, case.clock):
        end = _end(start, least) - 2 * _SECOND
        if end >= max(case.clock, start):
            return case.change(not_before=start, not_after=end)
    raise Impossible(f"a certificate shorter than {least.text} has no period")


def backdated(ago: timedelta, case: Case) -> Case:
    """Move the start to ``ago`` before the build; keep the length, unless the certificate had expired."""
    start = case.clock - ago
    end = start + (case.plan.not_after - case.plan.not_before)
    return case.change(not_before=start, not_after=end if end >= case.clock else case.plan.not_after)


def ending(end: datetime, case: Case) -> Case:
    """Set the end; the certificate must be valid at the time of the build."""
    if end < max(case.clock, case.plan.not_before):
        raise Impossible(f"the certificate would have expired at {end:%Y-%m-%d %H:%M:%S}Z")
    return case.change(not_after=end)


def ending_after(left: timedelta, case: Case) -> Case:
    """End the certificate some time after the build."""
    return ending(case.clock + left, case)


def _issuer_plan(case: Case) -> CertificatePlan:
    if not case.authorities or not case.authorities[0].certificates:
        raise Impossible("the certificate is self-signed, or its issuer was imported from files")
    return case.authorities[0].certificates[0]


def outliving_issuer(case: Case) -> Case:
    """End an issuing CA of its own before the certificate; a CA certificate itself ends after its issuer."""
    if case.entity.role is Role.AUTHORITY:
        return ending(min(_issuer_plan(case).not_after, LAST - _SECOND) + _SECOND, case)
    end = case.plan.not_after - _SECOND
    if end < case.clock:
        raise Impossible("the issuing CA's certificate would have expired")
    return case.change_authority_plan(0, lambda plan: replace(plan, not_after=end))


def before_issuer(case: Case) -> Case:
    """Begin an issuing CA of its own after the certificate; a CA certificate itself begins earlier."""
    if case.entity.role is Role.AUTHORITY:
        return case.change(not_before=_issuer_plan(case).not_before - _SECOND)
    start = case.plan.not_before + _SECOND
    if start > case.clock:
        raise Impossible("the issuing CA's certificate would not be valid yet")
    return case.change_authority_plan(0, lambda plan: replace(plan, not_before=start))


def general_time(case: Case) -> Case:
    """Encode notAfter as a GeneralizedTime, also for a year before 2050."""
    at = case.plan.not_after
    text = f"{at:%Y%m%d%H%M%S}Z".encode()
    return case.edit(Edit((4, 1), EditOp.REPLACE, der.tlv(der.GENERALIZED_TIME, text)))
