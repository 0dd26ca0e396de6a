"""Faults of the ACME server: transport, state, certificate and renewal information."""

from __future__ import annotations

from datetime import timedelta

from pkigen.faults.registry import enrolment_fault


@enrolment_fault("RFC 8555 6.5")
def acme_bad_nonce() -> None:
    """The server rejects the nonce of a request, although it is valid.

    Clients should repeat the request with the nonce of the error response. After many such errors, they
    must stop.
    """


@enrolment_fault("RFC 8555 6.5.1")
def acme_nonce_missing() -> None:
    """The response has no Replay-Nonce header.

    Clients should request a new nonce from newNonce.
    """


@enrolment_fault("RFC 8555 6.6")
def acme_429_seconds(*, after: timedelta = timedelta(seconds=2)) -> None:
    """The server refuses the request with 429 rateLimited and a Retry-After in seconds.

    Clients should wait that long before they repeat the request.
    """


@enrolment_fault("RFC 8555 6.6")
def acme_429_date(*, after: timedelta = timedelta(seconds=2)) -> None:
    """The server refuses the request with 429 rateLimited and a Retry-After that is an HTTP date.

    Clients should wait until that time; some accept only seconds.
    """


@enrolment_fault("RFC 8555 6.6")
def acme_429_past() -> None:
    """The server refuses the request with 429 rateLimited and a Retry-After that is a date in the past.

    Clients may repeat the request at once, but must not loop without a delay.
    """


@enrolment_fault("RFC 8555 6.6")
def acme_429_absent() -> None:
    """The server refuses the request with 429 rateLimited without a Retry-After header.

    Clients should wait for a time of their own, or report the error.
    """


@enrolment_fault("RFC 9110 15.6.4")
def acme_503(*, after: timedelta = timedelta(seconds=2)) -> None:
    """The server returns 503 with Retry-After and a body that is no problem document.

    Clients should report the status, or try again later.
    """


@enrolment_fault("RFC 8555 7.4")
def acme_500_after_finalize() -> None:
    """The server issues the certificate, and returns 500 to the request that finalizes the order.

    Clients should poll the order, which is valid, instead of requesting another certificate.
    """


@enrolment_fault("RFC 8555 6")
def acme_empty_200() -> None:
    """The response has the right status and an empty body.

    Clients should report that the response is not JSON.
    """


@enrolment_fault("RFC 8555 6")
def acme_truncated_json() -> None:
    """The body of the response ends in the middle.

    Clients should report that the response is not JSON.
    """


@enrolment_fault("RFC 8555 6")
def acme_slow(*, by: timedelta = timedelta(seconds=20)) -> None:
    """The response comes only after {by}.

    Clients should wait, or time out and report it.
    """


@enrolment_fault("RFC 8555 6")
def acme_wrong_content_type() -> None:
    """The response is labeled text/html.

    Clients may ignore the type; strict clients report it.
    """


@enrolment_fault("RFC 8555 7.3")
def acme_location_missing() -> None:
    """The response has no Location header.

    Clients should report that the URL of the account or order is missing.
    """


@enrolment_fault("RFC 8555 7.1.1")
def acme_directory_unknown_fields() -> None:
    """The directory contains members that no specification defines.

    Clients should ignore unknown members.
    """


@enrolment_fault("RFC 8555 7.3.4")
def acme_external_account_required() -> None:
    """The server refuses a new account because it requires an external account binding.

    Clients should report it and ask for the key identifier and the key.
    """


@enrolment_fault("RFC 8555 7.3.3")
def acme_terms_changed() -> None:
    """The server refuses the request with userActionRequired: its terms of service have changed.

    Clients should report it with the URL of the new terms.
    """


@enrolment_fault("RFC 8555 7.4")
def acme_processing() -> None:
    """The order is in processing, although the certificate is issued.

    Clients should poll the order, with a delay, until it is valid. Raise `times` to test that they
    stop.
    """


@enrolment_fault("RFC 8555 7.1.6")
def acme_ready_then_invalid() -> None:
    """The order is ready, and becomes invalid when it is finalized.

    Clients should report the error of the order and create a new one later.
    """


@enrolment_fault("RFC 8555 7.1.6")
def acme_order_invalid() -> None:
    """The order becomes invalid although its authorizations are valid.

    Clients should report the error of the order, and not poll it forever.
    """


@enrolment_fault("RFC 8555 7.1.6")
def acme_order_expired() -> None:
    """The order has expired.

    Clients should create a new order.
    """


@enrolment_fault("RFC 8555 7.3.6")
def acme_account_deactivated() -> None:
    """The server has deactivated the account.

    Clients should report it; some create a new account.
    """


@enrolment_fault("RFC 8555 7.1.2.1")
def acme_orders_paged() -> None:
    """The list of an account's orders has one order on each page.

    Clients that need all orders must follow the links to the next page.
    """


@enrolment_fault("RFC 8555 9.1")
def acme_chain_reversed() -> None:
    """The certificates of the chain are in the wrong order: the issuer first.

    Clients may install the CA certificate instead of their own.
    """


@enrolment_fault("RFC 8555 9.1")
def acme_chain_with_root() -> None:
    """The chain contains the root.

    Clients accept it; TLS servers then send one certificate too many.
    """


@enrolment_fault("RFC 8555 9.1")
def acme_chain_without_issuer() -> None:
    """The response contains only the end-entity certificate.

    Clients install it; TLS clients without the intermediate report an unknown issuer.
    """


@enrolment_fault("RFC 8555 7.4.2")
def acme_alternate_missing() -> None:
    """The response links to an alternate chain that the server does not have.

    Clients should install the certificate with its own chain.
    """


@enrolment_fault("RFC 8555 7.4")
def acme_other_names() -> None:
    """The certificate is for wrong-host.test instead of the names in the order.

    Clients should compare the names before they install the certificate.
    """


@enrolment_fault("RFC 8555 7.4")
def acme_shorter(*, valid: timedelta = timedelta(hours=1)) -> None:
    """The certificate is valid for {valid} only, less than the template has.

    Clients must plan the renewal by the certificate and not by an earlier one.
    """


@enrolment_fault("RFC 8555 7.4")
def acme_other_key() -> None:
    """The certificate has another key than the one in the request.

    Clients should compare the keys before they install the certificate.
    """


@enrolment_fault("RFC 9773 4.2")
def acme_window_past() -> None:
    """The suggested window for the renewal is in the past.

    Clients should renew at once, but only once.
    """


@enrolment_fault("RFC 9773 4.2")
def acme_window_far() -> None:
    """The suggested window for the renewal is ten years ahead.

    Clients should still renew before the certificate expires.
    """


@enrolment_fault("RFC 9773 4.2")
def acme_window_inverted() -> None:
    """The suggested window for the renewal ends before it starts.

    Clients must ignore the window.
    """


@enrolment_fault("RFC 9773 4.2")
def acme_window_moving() -> None:
    """The suggested window for the renewal begins one day after each request, so it never comes.

    Clients should still renew before the certificate expires.
    """


@enrolment_fault("RFC 9773 4.3")
def acme_renewal_info_404() -> None:
    """There is no renewal information.

    Clients should renew by their own schedule.
    """


@enrolment_fault("RFC 9773 4.3")
def acme_renewal_retry_after_missing() -> None:
    """The renewal information has no Retry-After header.

    Clients should poll at an interval of their own.
    """


@enrolment_fault("RFC 9773 5")
def acme_replaces_rejected() -> None:
    """The server refuses an order that replaces a certificate with alreadyReplaced.

    Clients should repeat the order without `replaces`.
    """
