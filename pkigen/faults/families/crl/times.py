"""CRLs that are not in force, or do not say when (RFC 5280, 5.1.2.4, 5.1.2.5 and 6.3.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from pkigen.cases.case import Case
from pkigen.faults.families.crl.changes import change_crl, edit_crl, with_crl
from pkigen.faults.registry import fault
from pkigen.model import Edit, EditOp

_DAY, _YEAR = timedelta(days=1), timedelta(days=365)
_NEXT_UPDATE = (4,)


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _ended(case: Case, before: int) -> Case:
    """A CRL whose nextUpdate was so many seconds before the build."""
    return change_crl(case, lambda crl: replace(crl, age=crl.lifetime + before))


@fault("R", "revocation", "6.3.3 (a)", finds=("path:crl-stale", "crl-fresh", "crl-reachable"))
def crl_stale(case: Case, *, by: timedelta = _DAY) -> Case:
    """Its CRL has ended, a day ago if nothing else is said.

    Who may have been revoked since is not in it: clients must get a fresh one, or refuse.
    """
    return _ended(case, _seconds(by))


@fault("R", "revocation", "6.3.3 (a)", finds=("path:crl-stale", "crl-fresh", "crl-reachable"))
def crl_expired(case: Case) -> Case:
    """Its CRL ended a second before the build.

    The boundary: up to nextUpdate it counts, a second later it does not.
    """
    return _ended(case, 1)


@fault("R", "revocation", "5.1.2.4", finds=("path:crl-not-yet-valid", "crl-fresh", "crl-reachable"))
def crl_not_yet_valid(case: Case, *, by: timedelta = _YEAR) -> Case:
    """Its CRL was issued in the future, in a year if nothing else is said.

    Nobody can know yet who will be revoked: often a clock is wrong.
    """
    return with_crl(case, age=-_seconds(by))


@fault("R", "revocation", "5.1.2.5", finds=("path:crl-stale", "crl-fresh", "crl-reachable"))
def crl_next_before_this(case: Case) -> Case:
    """Its CRL's next update is a day before its issue.

    It was never in force; clients say that it has ended.
    """
    return with_crl(case, lifetime=-_seconds(_DAY))


@fault("V", "revocation", "5.1.2.5", finds=("crl-next-update",))
def crl_missing_next_update(case: Case) -> Case:
    """Its CRL does not say when the next one comes.

    CAs must say it. Some clients take the CRL for good forever, some for good never.
    """
    return edit_crl(case, Edit(_NEXT_UPDATE, EditOp.REMOVE))
