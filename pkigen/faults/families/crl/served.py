"""What a web server does wrong with a sound CRL (RFC 2585): planned here, done by who serves it."""

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
    """The URL of its CRL answers an octet now and then.

    Clients should give up after a while, and not hold up everything else until then.
    """
    return serve_crl(case, "slow")


@fault("V", "transport", _HTTP)
def crl_slow_start(case: Case) -> Case:
    """The URL of its CRL answers nothing for half a minute, and then all at once.

    Clients should give up before, and ask again; who waits for it holds up everything else.
    """
    return serve_crl(case, "late")


@fault("V", "transport", _HTTP)
def crl_truncated_body(case: Case) -> Case:
    """The URL of its CRL breaks off before as many octets came as were announced.

    What came must not be used.
    """
    return serve_crl(case, "truncated")


@fault("V", "transport", _HTTP)
def crl_oversize(case: Case) -> Case:
    """The URL of its CRL answers far more than any CRL has.

    Clients must have a limit, or run out of memory.
    """
    return serve_crl(case, "oversize")


@fault("V", "transport", "RFC 2585 4.2")
def crl_wrong_content_type(case: Case) -> Case:
    """The URL of its CRL answers with the media type text/plain.

    It should be application/pkix-crl; most clients look at the octets alone.
    """
    return serve_crl(case, "media-type", "text/plain")


@fault("V", "transport", _HTTP)
def crl_redirect(case: Case) -> Case:
    """The URL of its CRL leads to another one, where the CRL is.

    Browsers follow; many appliances do not.
    """
    return serve_crl(case, "redirect")


@fault("V", "transport", _HTTP)
def crl_redirect_loop(case: Case) -> Case:
    """The URL of its CRL leads back to itself.

    Clients must count redirects, and give up.
    """
    return serve_crl(case, "loop")


@fault("V", "transport", _HTTP)
def crl_reset(case: Case) -> Case:
    """The server of its CRL resets the connection.

    Nothing comes: as firewalls do it.
    """
    return serve_crl(case, "reset")


@fault("V", "transport", "RFC 8446 6.2")
def crl_https_only(case: Case) -> Case:
    """The server of its CRL speaks TLS alone, at the port of its http URL.

    A request in HTTP gets a TLS alert (unexpected_message), which is no HTTP: clients call it malformed.
    """
    return serve_crl(case, "tls-alert")


@fault("V", "transport", _HTTP)
def crl_html(case: Case) -> Case:
    """The URL of its CRL answers 200 and a page of HTML.

    A captive portal, or an error page of the wrong status: what comes is no CRL.
    """
    return serve_crl(case, "html")
