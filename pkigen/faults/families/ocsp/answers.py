"""Contents of OCSP responses: certificate, status and validity (RFC 6960, 2 and 4.2.1)."""

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

    The CA did not issue the certificate, or the responder is not responsible for it. Clients must not
    treat the certificate as good.
    """
    return answered(case, answers=("unknown",))


@fault("R", "revocation", "RFC 6960 4.2.2.1")
def ocsp_stale(case: Case, *, by: timedelta = timedelta(days=1)) -> Case:
    """The OCSP response expired {by} ago.

    Clients should reject the response as outdated. A new request receives the same response.
    """
    return answered(case, age=7 * _DAY + int(by.total_seconds()))


@fault("R", "revocation", "RFC 6960 4.2.2.1")
def ocsp_future(case: Case) -> Case:
    """The OCSP response becomes valid only in one year.

    Clients report that the response is not yet valid. Check the clocks of the client and of the
    responder.
    """
    return answered(case, age=-_YEAR)


@fault("R", "revocation", "RFC 6960 4.2.2.1")
def ocsp_next_before_this(case: Case) -> Case:
    """The OCSP response has a nextUpdate that is earlier than its thisUpdate.

    The response is never valid; clients reject it.
    """
    return answered(case, lifetime=-_DAY)


@fault("V", "revocation", "RFC 6960 4.2.2.1")
def ocsp_no_next_update_old(case: Case) -> Case:
    """The OCSP response is 30 days old and has no nextUpdate.

    Without nextUpdate, newer information is always available; each client decides which age is too
    old.
    """
    return answered(case, age=30 * _DAY, lifetime=None)


@fault("R", "revocation", "RFC 6960 3.2 (1)")
def ocsp_certid_serial(case: Case) -> Case:
    """The OCSP response is for a different serial number.

    Clients must not use a response for another certificate.
    """
    return answered(case, wrong_cert_id_field="serial")


@fault("R", "revocation", "RFC 6960 3.2 (1)")
def ocsp_certid_namehash(case: Case) -> Case:
    """The OCSP response is for a different issuer name.

    Clients must not use a response for another certificate.
    """
    return answered(case, wrong_cert_id_field="name")


@fault("R", "revocation", "RFC 6960 3.2 (1)")
def ocsp_certid_keyhash(case: Case) -> Case:
    """The OCSP response is for a different issuer key.

    Clients must not use a response for another certificate.
    """
    return answered(case, wrong_cert_id_field="key")


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_good_and_revoked(case: Case) -> Case:
    """The OCSP response contains two statuses for the certificate: good and revoked.

    Clients use the first one, the last one, or the worse one.
    """
    return answered(case, answers=("good", "revoked"))


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_empty_responses(case: Case) -> Case:
    """The OCSP response contains no status for any certificate.

    The response is signed and current, but clients cannot determine the status of the certificate.
    """
    return answered(case, answers=())


@fault("R", "revocation", "RFC 6960 4.4")
def ocsp_critical_extension(case: Case) -> Case:
    """The OCSP response has an unknown critical extension.

    Clients that do not recognize the extension must not rely on the response.
    """
    return answered(case, extensions=(_UNKNOWN_EXTENSION,))


@fault("R", "revocation", "RFC 9654 2.1")
def ocsp_nonce_wrong(case: Case) -> Case:
    """The OCSP response has a nonce that no client sent.

    The response belongs to a different request and may be a replay; clients that sent a nonce
    report a mismatch.
    """
    value = der.octet_string(b"\x5a" * 32)
    return answered(case, extensions=(Extension(oids.OCSP_NONCE, False, value),))


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_version_2(case: Case) -> Case:
    """The OCSP response has version 2, which does not exist.

    Some clients reject it; others do not check the version.
    """
    version = der.explicit(0, der.integer(1))
    return answered(case, edits=(Edit(_VERSION, EditOp.INSERT, version),))


@fault("V", "revocation", "RFC 6960 2.4")
def ocsp_produced_early(case: Case) -> Case:
    """The OCSP response has a producedAt that is one year before its thisUpdate.

    The time of the signature and the time of the information contradict each other; clients differ.
    """
    return answered(case, produced=-_YEAR)


@fault("V", "revocation", "RFC 6960 2.4")
def ocsp_produced_late(case: Case) -> Case:
    """The OCSP response has a producedAt that is one year in the future.

    The time of the signature is in the future; clients differ.
    """
    return answered(case, produced=_YEAR)


@fault("R", "revocation", "RFC 6960 4.4")
def ocsp_critical_single_ext(case: Case) -> Case:
    """The OCSP response has an unknown critical extension in its status.

    The extension belongs to one certificate, not to the response. Clients that do not recognize it must not
    rely on the status.
    """
    unknown = der.sequence(der.oid(_UNKNOWN_EXTENSION.oid), der.boolean(True), der.octet_string(der.null()))
    extensions = der.explicit(1, der.sequence(unknown))
    return answered(case, edits=(Edit((2, 0, -1), EditOp.APPEND, extensions),))


@fault("V", "revocation", "RFC 9654 2.1")
def ocsp_nonce_missing(case: Case) -> Case:
    """The OCSP response has no nonce, even if the client sent one.

    The file is the same as that of ocsp-good, whose responder returns the nonce of a request. Clients
    that require the nonce reject the response; most do not, because few responders return it.
    """
    return answered(case, nonce=False)


@fault("V", "revocation", "RFC 6960 4.1.1")
def ocsp_certid_sha256(case: Case) -> Case:
    """The OCSP response identifies the certificate with SHA-256 hashes.

    Most clients ask with SHA-1 hashes, and some compare the complete identifier; others compute the hashes
    with the algorithm of the response.
    """
    return answered(case, cert_id_digest="sha256")
