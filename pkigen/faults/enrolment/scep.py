"""Faults of the SCEP server."""

from __future__ import annotations

from pkigen.faults.registry import enrolment_fault

FAILURES = ("badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId")
"""The reasons of a failure; their places are their numbers (RFC 8894, 3.2.1.4)."""


@enrolment_fault("RFC 8894 3.5.2")
def scep_capabilities_empty() -> None:
    """The response to GetCACaps is empty.

    Clients must use the algorithms of the first servers (Triple DES, SHA-1, GET), or refuse them.
    """


@enrolment_fault("RFC 8894 3.5.2")
def scep_capabilities_html() -> None:
    """The response to GetCACaps is a page in HTML, like that of servers without this operation.

    Clients should treat it as an empty list.
    """


@enrolment_fault("RFC 8894 3.5.2")
def scep_capabilities_lowercase() -> None:
    """The capabilities in the response to GetCACaps are in lowercase.

    Clients must ignore the case.
    """


@enrolment_fault("RFC 8894 4.3")
def scep_pending() -> None:
    """The request is pending.

    Clients must poll with a delay. Without the parameter times, the request is pending forever, and
    clients should give up eventually.
    """


@enrolment_fault("RFC 8894 3.2.1.4", reason=FAILURES)
def scep_failure(*, reason: str = "badRequest") -> None:
    """The server refuses the request with the failInfo {reason}.

    Clients should report the reason, and must not repeat the same request in a loop.
    """


@enrolment_fault("RFC 8894 3.2.1.1")
def scep_wrong_transaction() -> None:
    """The response has the transactionID of another transaction.

    Clients must refuse the response.
    """


@enrolment_fault("RFC 8894 3.2.1.5")
def scep_wrong_nonce() -> None:
    """The recipientNonce of the response is not the senderNonce of the request.

    Clients must refuse the response: it can be a replay.
    """


@enrolment_fault("RFC 8894 4.2.1.2")
def scep_ra_wrong_usage() -> None:
    """GetCACert returns a certificate for signing and one for encryption, and their key usages are exchanged.

    Clients should report that the key usage of each certificate does not permit its purpose. The server
    accepts messages that are encrypted to either.
    """


@enrolment_fault("RFC 8894 2.9")
def scep_des() -> None:
    """The response is encrypted with DES, which the client did not use.

    Clients should refuse DES; some cannot decrypt it and report a wrong response.
    """
