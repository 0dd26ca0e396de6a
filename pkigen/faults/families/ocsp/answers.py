"""What an OCSP answer says: of which certificate, how it stands, for how long (RFC 6960, 2 and 4.2.1)."""

from __future__ import annotations

from datetime import timedelta

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.faults.families.ocsp.changes import answered
from pkigen.faults.registry import fault
from pkigen.model import Edit, EditOp, Extension

_DAY, _YEAR = 86400, 365 * 86400
_VERSION = (0,)
_UNKNOWN_EXTENSION = Extension("1.2.3.4.5.6", True, der.null())


@fault("A", "revocation", "RFC 6960 2.2")
def ocsp_good(case: Case) -> Case:
    """The OCSP response has the status good.

    Clients must accept the certificate (control case).
    """
    return answered(case)


@fault("R", "revocation", "RFC 6960 2.2")
def ocsp_revoked(case: Case) -> Case:
    """The OCSP response has the status revoked.

    Clients that use OCSP reject the certificate; the CRL does not list it.
    """
    return answered(case, answers=("revoked",))


@fault("R", "revocation", "RFC 6960 2.2")
def ocsp_unknown(case: Case) -> Case:
    """The OCSP response has the status unknown.

    The CA did not issue the certificate, or the responder is not responsible for it.
    """
    return answered(case, answers=("unknown",))


@fault("R", "revocation", "RFC 6960 4.2.2.1")
def ocsp_stale(case: Case, *, by: timedelta = timedelta(days=1)) -> Case:
    """The OCSP response expired {by} ago.

    Clients must request a new response, and receive the same one.
    """
    return answered(case, age=7 * _DAY + int(by.total_seconds()))


@fault("R", "revocation", "RFC 6960 4.2.2.1")
def ocsp_future(case: Case) -> Case:
    """Its OCSP answer is not valid before next year.

    Often the clock of one of the two is wrong.
    """
    return answered(case, age=-_YEAR)


@fault("R", "revocation", "RFC 6960 4.2.2.1")
def ocsp_next_before_this(case: Case) -> Case:
    """Its OCSP answer ends before it begins.

    No instant lies within.
    """
    return answered(case, lifetime=-_DAY)


@fault("V", "revocation", "RFC 6960 4.2.2.1")
def ocsp_no_next_update_old(case: Case) -> Case:
    """Its OCSP answer is a month old and says no end.

    Newer information is always to be had, it says: how old is too old is the client's own choice.
    """
    return answered(case, age=30 * _DAY, lifetime=None)


@fault("R", "revocation", "RFC 6960 4.1.1")
def ocsp_certid_serial(case: Case) -> Case:
    """Its OCSP answer is about another serial number.

    What is said of another certificate says nothing of this one.
    """
    return answered(case, wrong_cert_id_field="serial")


@fault("R", "revocation", "RFC 6960 4.1.1")
def ocsp_certid_namehash(case: Case) -> Case:
    """Its OCSP answer is about another issuer's name.

    What is said of another certificate says nothing of this one.
    """
    return answered(case, wrong_cert_id_field="name")


@fault("R", "revocation", "RFC 6960 4.1.1")
def ocsp_certid_keyhash(case: Case) -> Case:
    """Its OCSP answer is about another issuer's key.

    What is said of another certificate says nothing of this one.
    """
    return answered(case, wrong_cert_id_field="key")


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_good_and_revoked(case: Case) -> Case:
    """Its OCSP answer says twice what it is: good, and revoked.

    Clients take the first, the last, or the worse.
    """
    return answered(case, answers=("good", "revoked"))


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_empty_responses(case: Case) -> Case:
    """Its OCSP answer speaks of no certificate.

    Signed, fresh, and about nothing.
    """
    return answered(case, answers=())


@fault("R", "revocation", "RFC 6960 4.4")
def ocsp_critical_extension(case: Case) -> Case:
    """Its OCSP answer has a critical extension that nobody knows.

    Who does not know it must not rely on the answer.
    """
    return answered(case, extensions=(_UNKNOWN_EXTENSION,))


@fault("R", "revocation", "RFC 9654 2.1")
def ocsp_nonce_wrong(case: Case) -> Case:
    """Its OCSP answer has a nonce that nobody sent.

    The answer is to another request, perhaps one of long ago.
    """
    value = der.octet_string(b"\x5a" * 32)
    return answered(case, extensions=(Extension(oids.OCSP_NONCE, False, value),))


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_version_2(case: Case) -> Case:
    """Its OCSP answer has version 2.

    There is no such version.
    """
    version = der.explicit(0, der.integer(1))
    return answered(case, edits=(Edit(_VERSION, EditOp.INSERT, version),))


@fault("V", "revocation", "RFC 6960 2.4")
def ocsp_produced_early(case: Case) -> Case:
    """Its OCSP answer was signed a year before what it says was known.

    The time of the signature and that of the information contradict each other.
    """
    return answered(case, produced=-_YEAR)


@fault("V", "revocation", "RFC 6960 2.4")
def ocsp_produced_late(case: Case) -> Case:
    """Its OCSP answer will be signed in a year.

    The time of the signature is in the future.
    """
    return answered(case, produced=_YEAR)
