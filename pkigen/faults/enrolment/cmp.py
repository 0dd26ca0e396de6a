"""Faults of the CMP server."""

from __future__ import annotations

from datetime import timedelta

from pkigen.faults.registry import enrolment_fault

STATUSES = (
    "accepted",
    "grantedWithMods",
    "rejection",
    "waiting",
    "revocationWarning",
    "revocationNotification",
    "keyUpdateWarning",
)
"""PKIStatus; the places are the numbers (RFC 9810, 5.2.3)."""

FAILURES = (
    *("badAlg", "badMessageCheck", "badRequest", "badTime", "badCertId", "badDataFormat", "wrongAuthority"),
    *("incorrectData", "missingTimeStamp", "badPOP", "certRevoked", "certConfirmed", "wrongIntegrity"),
    *("badRecipientNonce", "timeNotAvailable", "unacceptedPolicy", "unacceptedExtension"),
    *("addInfoNotAvailable", "badSenderNonce", "badCertTemplate", "signerNotTrusted", "transactionIdInUse"),
    *("unsupportedVersion", "notAuthorized", "systemUnavail", "systemFailure", "duplicateCertReq"),
)
"""The bits of PKIFailureInfo (RFC 9810, 5.2.3)."""


@enrolment_fault("RFC 9810 5.2.3", failure=FAILURES)
def cmp_rejection(*, failure: str = "badRequest") -> None:
    """The server rejects the certificate request or revocation request with the failure {failure}.

    Clients should report the failure and its text.
    """


@enrolment_fault("RFC 9810 5.3.21", failure=FAILURES)
def cmp_error(*, failure: str = "systemFailure") -> None:
    """The server answers with an error message that has the failure {failure}.

    Clients should report the failure, and end the transaction.
    """


@enrolment_fault("RFC 9810 5.2.3", status=STATUSES)
def cmp_status(*, status: str = "revocationWarning") -> None:
    """The response contains the certificate with the status {status}.

    Clients should use the certificate only if the status is accepted or grantedWithMods, and report other
    statuses.
    """


@enrolment_fault("RFC 9810 5.1.3")
def cmp_unprotected() -> None:
    """The response has no protection.

    Clients must refuse the response, unless the user permits unprotected errors.
    """


@enrolment_fault("RFC 9810 5.1.3")
def cmp_wrong_protection() -> None:
    """The MAC or signature of the response does not verify.

    Clients must refuse the response.
    """


@enrolment_fault("RFC 9810 5.1.1")
def cmp_wrong_transaction() -> None:
    """The response has the transactionID of another transaction.

    Clients must refuse the response.
    """


@enrolment_fault("RFC 9810 5.1.1")
def cmp_wrong_nonce() -> None:
    """The recipNonce of the response is not the senderNonce of the request.

    Clients must refuse the response: it can be a replay.
    """


@enrolment_fault("RFC 9810 5.3.22")
def cmp_polling(*, after: timedelta = timedelta(seconds=1)) -> None:
    """The certificate is not ready: the status is waiting, then the server asks to poll after {after}.

    Clients must wait that long and poll. Without the parameter times, they must stop eventually.
    """


@enrolment_fault("RFC 9810 5.3.18")
def cmp_confirmation_ignored() -> None:
    """The server does not answer the confirmation of the certificate: the response is empty.

    Clients should report it. The certificate stays valid.
    """
