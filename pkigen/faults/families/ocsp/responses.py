"""OCSP error responses, unreadable responses and failed downloads (RFC 6960, 4.2.1)."""

from __future__ import annotations

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.faults.families.ocsp.changes import answer_url, answered
from pkigen.faults.registry import fault
from pkigen.model import Edit, EditOp, OcspForm

_ENUMERATED = 0x0A


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_malformed_request(case: Case) -> Case:
    """The OCSP response has the error status malformedRequest.

    There is no certificate status: clients that require OCSP reject the certificate; others
    continue without it.
    """
    return answered(case, status=1)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_internal_error(case: Case) -> Case:
    """The OCSP response has the error status internalError.

    There is no certificate status: clients that require OCSP reject the certificate; others
    continue without it.
    """
    return answered(case, status=2)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_try_later(case: Case) -> Case:
    """The OCSP response has the error status tryLater.

    There is no certificate status: clients that require OCSP reject the certificate; others
    continue without it.
    """
    return answered(case, status=3)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_sig_required(case: Case) -> Case:
    """The OCSP response has the error status sigRequired.

    The responder requires signed requests, which few clients can send: they have no certificate status.
    """
    return answered(case, status=5)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_unauthorized(case: Case) -> Case:
    """The OCSP response has the error status unauthorized.

    The client is not authorized to send the request, or the responder cannot answer for the CA
    (RFC 9919, 3.2.3).
    """
    return answered(case, status=6)


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_status_4(case: Case) -> Case:
    """The OCSP response has the undefined error status 4.

    The value 4 is not used; clients differ.
    """
    return answered(case, status=4)


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_no_bytes(case: Case) -> Case:
    """The OCSP response has the status successful but no responseBytes.

    The response contains no certificate status; clients cannot use it.
    """
    return answered(case, outer=(Edit((1,), EditOp.REMOVE),))


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_bad_type(case: Case) -> Case:
    """The OCSP response has an unknown response type.

    Clients must support id-pkix-ocsp-basic; they cannot read this response.
    """
    return answered(case, outer=(Edit((1, 0, 0), EditOp.REPLACE, der.oid("1.2.3.4.5")),))


@fault("V", "revocation", "X.690 8.1")
def ocsp_trailing_data(case: Case) -> Case:
    """The OCSP response is followed by two extra bytes.

    Strict parsers reject it; others ignore data after the end.
    """
    return answered(case, outer=(Edit((), EditOp.APPEND, b"\0\0"),))


@fault("R", "revocation", "X.690 8.1")
def ocsp_truncated(case: Case) -> Case:
    """The OCSP response lacks its last 40 bytes.

    Clients report a malformed response.
    """
    return answered(case, outer=(Edit((), EditOp.TRUNCATE, bytes(40)),))


@fault("R", "revocation", "RFC 6960 4.2.1")
def ocsp_empty(case: Case) -> Case:
    """The OCSP response is empty.

    Clients cannot read it.
    """
    return answered(case, form=OcspForm.EMPTY)


@fault("R", "revocation", "RFC 6960 A.2")
def ocsp_html(case: Case) -> Case:
    """The OCSP response is an HTML page.

    Clients report a malformed response. Look for a proxy or a sign-in page between the client and
    the responder.
    """
    return answered(case, form=OcspForm.HTML)


@fault("V", "transport", "RFC 6960 A.2")
def ocsp_http_404(case: Case) -> Case:
    """The OCSP responder URL responds with status 404.

    There is no certificate status: clients that require OCSP reject the certificate; others
    continue without it.
    """
    return answered(case).served(answer_url(case), "status", "404")


@fault("V", "transport", "RFC 6960 A.2")
def ocsp_http_500(case: Case) -> Case:
    """The OCSP responder URL responds with status 500.

    There is no certificate status: clients that require OCSP reject the certificate; others
    continue without it.
    """
    return answered(case).served(answer_url(case), "status", "500")


@fault("V", "transport", "RFC 6960 A.2")
def ocsp_slow(case: Case) -> Case:
    """The OCSP responder sends its response very slowly.

    Clients should time out, and report what they were waiting for.
    """
    return answered(case).served(answer_url(case), "slow")


@fault("V", "transport", "RFC 6066 8")
def stapled_missing(case: Case) -> Case:
    """The server does not staple the OCSP response, although one exists.

    Clients query the responder themselves, or continue without a response.
    """
    return answered(case).served("tls", "stapled-missing")


@fault("V", "revocation", "RFC 6960 4.2.1")
def ocsp_error_status_with_bytes(case: Case) -> Case:
    """The OCSP response has the error status tryLater, and a valid response.

    An error response has no responseBytes. Clients that do not check the status use the response.
    """
    return answered(case, outer=(Edit((0,), EditOp.REPLACE, der.tlv(_ENUMERATED, b"\3")),))
