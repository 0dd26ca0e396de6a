"""Faults of the EST server."""

from __future__ import annotations

from datetime import timedelta

from pkigen.faults.registry import enrolment_fault


@enrolment_fault("RFC 8951 3")
def est_raw_der() -> None:
    """The body is DER instead of base64.

    Clients report a body that they cannot decode. Many clients accept DER nevertheless.
    """


@enrolment_fault("RFC 8951 3")
def est_transfer_encoding_missing() -> None:
    """The response has no Content-Transfer-Encoding header.

    This is correct since RFC 8951. Clients of RFC 7030 may refuse the response.
    """


@enrolment_fault("RFC 8951 3")
def est_transfer_encoding(*, value: str = "binary") -> None:
    """The Content-Transfer-Encoding header is {value}, although the body is base64.

    Clients that follow RFC 8951 ignore the header; others try to read base64 as DER.
    """


@enrolment_fault("RFC 8951 3.1", ending=("crlf", "lf", "cr"))
def est_line_endings(*, ending: str = "crlf") -> None:
    """The base64 body has lines of 64 characters that end in {ending}.

    Clients must ignore white space. strongSwan 5.9.8 reports a PKCS#7 structure that it cannot parse.
    """


@enrolment_fault("RFC 7030 4.1.3")
def est_content_type(*, value: str = "text/plain") -> None:
    """The Content-Type of a successful response is {value}.

    Clients should check the type; many do not.
    """


@enrolment_fault("RFC 7030 4.5.2")
def est_csrattrs_empty() -> None:
    """The response to csrattrs is an empty list of attributes.

    Clients should send a request without additional attributes.
    """


@enrolment_fault("RFC 7030 4.5.2")
def est_csrattrs_not_found() -> None:
    """The status of csrattrs is 404.

    That means that the server requires no attributes; clients should continue.
    """


@enrolment_fault("RFC 7030 4.5.2")
def est_csrattrs_challenge_password() -> None:
    """The attributes require a challengePassword.

    Clients must put the tls-unique value of the connection in the request, or stop with a clear message.
    TLS 1.3 has no such value.
    """


@enrolment_fault("RFC 7030 4.2.3")
def est_pending(*, after: timedelta = timedelta(seconds=1)) -> None:
    """The server answers 202 with Retry-After: {after}.

    Clients must wait at least that long before they repeat the request. Use the parameter times, or they
    wait forever.
    """


@enrolment_fault("RFC 7030 4.2.3")
def est_pending_without_time() -> None:
    """The server answers 202 without Retry-After.

    Clients should use a time of their own, or report an invalid response.
    """


@enrolment_fault("RFC 9110 15.6.4")
def est_unavailable(*, after: timedelta = timedelta(seconds=1)) -> None:
    """The server answers 503 with Retry-After: {after}.

    Clients should try again later, and keep the certificate that they have.
    """


@enrolment_fault("RFC 7030 4.1.3")
def est_cacerts_without_root() -> None:
    """The response to cacerts does not contain the root.

    Clients that use it as their trust store cannot validate any certificate of the environment.
    """


@enrolment_fault("RFC 7030 4.2.3")
def est_extra_certificates() -> None:
    """The response to an enrollment also contains the CA certificates, before the issued certificate.

    Clients that take the first certificate of the response install a CA certificate.
    """


@enrolment_fault("RFC 7030 4.4.2")
def est_keygen_parts_swapped() -> None:
    """The certificate precedes the private key in the response to serverkeygen.

    Clients should select the parts by their types.
    """


@enrolment_fault("RFC 7030 3.4")
def est_possession_unchecked() -> None:
    """The server issues a certificate although the request is not signed with its own key.

    Auditors should notice that the requester has not proved that it has the key.
    """
