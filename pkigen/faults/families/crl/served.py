"""Faults of a web server that serves a valid CRL (RFC 2585); the web server applies them."""

from __future__ import annotations

from pkigen.cases.case import Case
from pkigen.faults.families.crl.changes import serve_crl
from pkigen.faults.registry import fault

_HTTP = "RFC 2585 3"


@fault("V", "transport", _HTTP)
def crl_http_404(case: Case) -> Case:
    """The CRL URL responds with status 404.

    Clients that require a CRL reject the certificate; others continue without it.
    """
    return serve_crl(case, "status", "404")


@fault("V", "transport", _HTTP)
def crl_http_500(case: Case) -> Case:
    """The CRL URL responds with status 500.

    Clients may retry or use a cached CRL.
    """
    return serve_crl(case, "status", "500")


@fault("V", "transport", _HTTP)
def crl_slow(case: Case) -> Case:
    """The CRL URL sends its response very slowly, byte by byte.

    Clients should time out, and must not block other work in the meantime.
    """
    return serve_crl(case, "slow")


@fault("V", "transport", _HTTP)
def crl_slow_start(case: Case) -> Case:
    """The CRL URL sends its response only after 30 seconds.

    Clients should time out earlier, and retry; clients that wait block other work.
    """
    return serve_crl(case, "late")


@fault("V", "transport", _HTTP)
def crl_truncated_body(case: Case) -> Case:
    """The CRL URL closes the connection before it has sent all announced bytes.

    Clients must not use the incomplete response.
    """
    return serve_crl(case, "truncated")


@fault("V", "transport", _HTTP)
def crl_oversize(case: Case, *, kilobytes: int = 35_000) -> Case:
    """The CRL URL sends a CRL of {kilobytes} kilobytes.

    It is signed and lists certificates that do not exist. Clients that limit the size of a response, or the
    time for it, do not get a CRL; others need much memory.
    """
    return serve_crl(case, "oversize", str(kilobytes))


@fault("V", "transport", _HTTP)
def crl_repeated(case: Case) -> Case:
    """The CRL URL sends the CRL a thousand times in one response.

    Clients must not use it, because data follows the CRL; some read the first CRL and ignore the rest.
    """
    return serve_crl(case, "repeated")


@fault("V", "transport", "RFC 2585 4.2")
def crl_wrong_content_type(case: Case) -> Case:
    """The CRL URL responds with the media type text/plain.

    It should be application/pkix-crl; most clients check only the content.
    """
    return serve_crl(case, "media-type", "text/plain")


@fault("V", "transport", _HTTP)
def crl_redirect(case: Case) -> Case:
    """The CRL URL redirects to the URL that serves the CRL.

    Some clients follow the redirect; many appliances do not.
    """
    return serve_crl(case, "redirect")


@fault("V", "transport", _HTTP)
def crl_redirect_loop(case: Case) -> Case:
    """The CRL URL redirects to itself.

    Clients must limit redirects and report an error.
    """
    return serve_crl(case, "loop")


@fault("V", "transport", _HTTP)
def crl_reset(case: Case) -> Case:
    """The CRL server resets the connection.

    Clients receive no response, as behind some firewalls.
    """
    return serve_crl(case, "reset")


@fault("V", "transport", "RFC 9846 6.2")
def crl_https_only(case: Case) -> Case:
    """The CRL server accepts only TLS at the port of the http URL.

    An HTTP request receives a TLS alert (unexpected_message); clients report a malformed HTTP
    response.
    """
    return serve_crl(case, "tls-alert")


@fault("V", "transport", _HTTP)
def crl_html(case: Case) -> Case:
    """The CRL URL responds with status 200 and an HTML page.

    Clients report a malformed CRL. Look for a captive portal, or for an error page with the wrong
    status.
    """
    return serve_crl(case, "html")


@fault("V", "transport", _HTTP)
def crl_endless_body(case: Case) -> Case:
    """The CRL URL sends the CRL, and then more bytes without an end.

    Clients must limit the size of a response or the time for it, and must not use it.
    """
    return serve_crl(case, "endless")
