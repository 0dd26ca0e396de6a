"""What comes in the place of an OCSP answer, or does not come (RFC 6960, 4.2.1)."""

from __future__ import annotations

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.families.ocsp.changes import answer_url, answered
from pkigen.faults.registry import fault
from pkigen.model import Edit, EditOp, OcspForm


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_malformed_request(case: Case) -> Case:
    """Its OCSP responder says that the request was malformed.

    No answer: clients that insist refuse, those that do not go on.
    """
    return answered(case, status=1)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_internal_error(case: Case) -> Case:
    """Its OCSP responder has an internal error.

    No answer: clients that insist refuse, those that do not go on.
    """
    return answered(case, status=2)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_try_later(case: Case) -> Case:
    """Its OCSP responder asks to try later.

    No answer: clients that insist refuse, those that do not go on.
    """
    return answered(case, status=3)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_sig_required(case: Case) -> Case:
    """Its OCSP responder wants the request signed.

    Browsers sign none.
    """
    return answered(case, status=5)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_unauthorized(case: Case) -> Case:
    """Its OCSP responder says that the client may not ask.

    Also what a responder says that cannot answer for the CA (RFC 5019, 2.2.3).
    """
    return answered(case, status=6)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_4(case: Case) -> Case:
    """Its OCSP responder gives a status that does not exist.

    4 is not used.
    """
    return answered(case, status=4)


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_no_bytes(case: Case) -> Case:
    """Its OCSP response is successful and carries no answer.

    Success without bytes is no answer.
    """
    return answered(case, outer=(Edit((1,), EditOp.REMOVE),))


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_bad_type(case: Case) -> Case:
    """Its OCSP response is of a type that nobody knows.

    id-pkix-ocsp-basic is what clients must be able to read.
    """
    return answered(case, outer=(Edit((1, 0, 0), EditOp.REPLACE, der.oid("1.2.3.4.5")),))


@fault("V", "revocation", "X.690 8.1")
def ocsp_trailing_data(case: Case) -> Case:
    """Its OCSP response is followed by two octets that do not belong.

    Strict readers refuse it, others stop where it ends.
    """
    return answered(case, outer=(Edit((), EditOp.APPEND, b"\0\0"),))


@fault("R", "revocation", "X.690 8.1")
def ocsp_truncated(case: Case) -> Case:
    """The last 40 octets of its OCSP response are missing.

    It cannot be read.
    """
    return answered(case, outer=(Edit((), EditOp.TRUNCATE, bytes(40)),))


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_empty(case: Case) -> Case:
    """Its OCSP response has no octets.

    Nothing was answered.
    """
    return answered(case, form=OcspForm.EMPTY)


@fault("R", "revocation", "RFC 6960 A.2")
def ocsp_html(case: Case) -> Case:
    """Its OCSP response is a page of HTML.

    A proxy or a login page stands in the way.
    """
    return answered(case, form=OcspForm.HTML)


@fault("V", "transport", "RFC 6960 A.1")
def ocsp_http_404(case: Case) -> Case:
    """Its OCSP responder's URL answers 404.

    No answer: clients that insist refuse, those that do not go on.
    """
    return answered(case).served(answer_url(case), "status", "404")


@fault("V", "transport", "RFC 6960 A.1")
def ocsp_http_500(case: Case) -> Case:
    """Its OCSP responder's URL answers 500.

    No answer: clients that insist refuse, those that do not go on.
    """
    return answered(case).served(answer_url(case), "status", "500")


@fault("V", "transport", "RFC 6960 A.1")
def ocsp_slow(case: Case) -> Case:
    """Its OCSP responder takes ages to answer.

    Clients should give up after a while, and say what they waited for.
    """
    return answered(case).served(answer_url(case), "slow")


@fault("V", "transport", "RFC 6066 8")
def stapled_missing(case: Case) -> Case:
    """The server staples no OCSP answer, though there is one.

    Clients ask the responder themselves, or go on without.
    """
    return answered(case).served("tls", "stapled-missing")
