"""The first second of a certificate, dates before 1970, and a validity period without an end."""

from __future__ import annotations

from datetime import UTC, datetime

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.families.validity.periods import NOT_AFTER, UNREADABLE
from pkigen.faults.registry import fault
from pkigen.model import Edit, EditOp

_BEFORE_1970 = datetime(1960, 1, 1, tzinfo=UTC)


@fault("A", "path", "4.1.2.5")
def begins_at_the_second(case: Case) -> Case:
    """The certificate becomes valid in the second of the build.

    Clients must accept it from exactly that second on (control case).
    """
    return case.change(not_before=case.clock)


@fault("V", "path", "4.1.2.5.1", finds=("at-most-825-days",))
def validity_pre1970(case: Case) -> Case:
    """The certificate has been valid since the year 1960.

    The year is valid; programs that count seconds since 1970 without a sign read another one.
    """
    return case.change(not_before=_BEFORE_1970)


@fault("R", "parse", "4.1.2.5.1", finds=UNREADABLE, cves=("CVE-2015-1789",))
def time_empty(case: Case) -> Case:
    """The certificate has an empty notAfter date.

    Clients reject it. OpenSSL before 1.0.2b read beyond the end of short dates.
    """
    return case.edit(Edit(NOT_AFTER, EditOp.REPLACE, der.tlv(der.UTC_TIME)))


@fault("R", "parse", "4.1.2.5", finds=UNREADABLE)
def validity_missing_end(case: Case) -> Case:
    """The certificate has a validity period without a notAfter date.

    Both dates are required; parsers reject the certificate.
    """
    return case.edit(Edit(NOT_AFTER, EditOp.REMOVE))
