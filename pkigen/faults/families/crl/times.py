"""CRLs that are not current, or have no nextUpdate (RFC 5280, 5.1.2.4, 5.1.2.5 and 6.3.3)."""

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
    """Return the case with a CRL whose nextUpdate is ``before`` seconds before the build."""
    return change_crl(case, lambda crl: replace(crl, age=crl.lifetime + before))


@fault("R", "revocation", "6.3.3 (a)", finds=("path:crl-stale", "crl-fresh", "crl-reachable"))
def crl_stale(case: Case, *, by: timedelta = _DAY) -> Case:
    """The CRL expired {by} ago.

    Clients report an expired CRL, because it lacks recent revocations. Publish a new one.
    """
    return _ended(case, _seconds(by))


@fault("R", "revocation", "6.3.3 (a)", finds=("path:crl-stale", "crl-fresh", "crl-reachable"))
def crl_expired(case: Case) -> Case:
    """The CRL expired one second before the build.

    nextUpdate is the last valid second. Most clients report an expired CRL.
    """
    return _ended(case, 1)


@fault("R", "revocation", "5.1.2.4", finds=("path:crl-not-yet-valid", "crl-fresh", "crl-reachable"))
def crl_not_yet_valid(case: Case, *, by: timedelta = _YEAR) -> Case:
    """The CRL becomes valid only in {by}.

    Most clients report that the CRL is not yet valid. Check the clocks.
    """
    return with_crl(case, age=-_seconds(by))


@fault("R", "revocation", "5.1.2.5", finds=("path:crl-stale", "crl-fresh", "crl-reachable"))
def crl_next_before_this(case: Case) -> Case:
    """The CRL has a nextUpdate that is one day before its thisUpdate.

    Clients report an expired CRL, because it was never valid.
    """
    return with_crl(case, lifetime=-_seconds(_DAY))


@fault("V", "revocation", "5.1.2.5", finds=("crl-next-update",))
def crl_missing_next_update(case: Case) -> Case:
    """The CRL has no nextUpdate.

    CAs must include it. Some clients accept such a CRL forever, others never.
    """
    return edit_crl(case, Edit(_NEXT_UPDATE, EditOp.REMOVE))
