"""URLs of the issuer certificate and of the CRL (RFC 5280, 4.2.2.1 and 4.2.1.13).

The files stay published at the correct URLs; only the references in the certificate are faulty.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import (
    EMPTY_SEQUENCE,
    JUNK,
    leave_out,
    put,
    set_critical,
    value_of,
)
from pkigen.cases.general_names import directory, uri
from pkigen.cases.urls import ldap_url, with_urls
from pkigen.faults.registry import fault

_AIA, _CDP = oids.AUTHORITY_INFORMATION_ACCESS, oids.CRL_DISTRIBUTION_POINTS
_REASONS = der.contents(der.named_bits(("keyCompromise",), oids.REASON_FLAGS))
_NOBODY_LISTENS = 1


def _access(location: bytes) -> bytes:
    """Return an AuthorityInfoAccessSyntax with the location of the issuer certificate."""
    return der.sequence(der.sequence(der.oid(oids.CA_ISSUERS_ACCESS), location))


def _sound_access(case: Case) -> bytes:
    """Return the certificate's own extension value, or the one that its issuer would write."""
    extension = case.extension(_AIA)
    if extension is not None:
        return value_of(case, _AIA)
    url = case.authorities[0].ca_url if case.authorities else None
    if url is None:
        raise Impossible("its issuer's certificate is not published")
    return _access(uri(url))


def _with_scheme(value: bytes, scheme: str) -> bytes:
    """Return the extension value with another scheme in its URLs, and no other change."""
    return with_urls(value, lambda url: f"{scheme}://{url.partition('://')[2]}")


def _in_directory(case: Case, value: bytes, attribute: str) -> bytes:
    """Return the extension value with LDAP URLs of an attribute of the issuer on the same hosts."""
    return with_urls(value, lambda url: ldap_url(url, case.plan.issuer, attribute))


def _at(value: bytes, host: str | None, port: int | None) -> bytes:
    """Return the extension value with another host or port in its URLs."""

    def change(url: str) -> str:
        parts = urlsplit(url)
        name = host or parts.netloc.removesuffix(f":{parts.port}")
        return parts._replace(netloc=f"{name}:{port}" if port else name).geturl()

    return with_urls(value, change)


@fault(
    "V",
    "path",
    "4.2.2.1",
    finds=("path:unhandled-critical", "aia-not-critical", "path-valid", "chain-of-trust"),
)
def aia_critical(case: Case) -> Case:
    """The certificate has a critical authority information access extension.

    It must not be critical; validators that do not process it must reject the certificate.
    """
    return put(case, _AIA, _sound_access(case), critical=True)


@fault("V", "parse", "4.2.2.1", finds=("aia-not-critical", "extension-readable"))
def aia_malformed(case: Case) -> Case:
    """The certificate has authority information access that cannot be decoded.

    Parsers that decode all extensions reject it; others do not notice it.
    """
    return put(case, _AIA, JUNK)


@fault("P", "lint", "CABF BR 7.1.2.7.7")
def aia_https(case: Case) -> Case:
    """The certificate refers to its issuer certificate with an https URL.

    Downloading it would first require validating another certificate.
    """
    return put(case, _AIA, _with_scheme(_sound_access(case), "https"))


@fault("P", "lint", "CABF BR 7.1.2.7.7")
def aia_ldap(case: Case) -> Case:
    """The certificate refers to its issuer certificate with an ldap URL.

    Current clients download only over http.
    """
    return put(case, _AIA, _in_directory(case, _sound_access(case), "cACertificate"))


@fault("P", "lint", "CABF BR 7.1.2.7.7")
def aia_no_uri(case: Case) -> Case:
    """The certificate refers to its issuer certificate with a directory name.

    RFC 5280 leaves the choice of the directory to the client; public CAs use URLs only.
    """
    return put(case, _AIA, _access(directory(case.plan.issuer)))


def _returning(case: Case, how: str, argument: str = "") -> Case:
    """Point the extension to a copy of the issuing CA whose server sends a faulty response."""
    case = case.change_authority(0, lambda authority: authority)
    url = case.authorities[0].ca_url
    if url is None:
        raise Impossible("its issuer's certificate is not published")
    return put(case, _AIA, _access(uri(url))).served(url, how, argument)


@fault("V", "transport", "4.2.2.1")
def aia_returns_pem(case: Case) -> Case:
    """The issuer certificate URL serves PEM instead of DER.

    Clients that download missing CA certificates may not be able to read it.
    """
    return _returning(case, "pem")


@fault("V", "transport", "4.2.2.1")
def aia_returns_leaf(case: Case) -> Case:
    """The issuer certificate URL serves the certificate itself.

    The response is not a CA certificate; clients must not loop.
    """
    return _returning(case, "other", case.entity.id)


@fault("V", "transport", "4.2.2.1")
def aia_returns_404(case: Case) -> Case:
    """The issuer certificate URL responds with status 404.

    Clients that need the CA certificate fail; clients that received the chain do not send the
    request.
    """
    return _returning(case, "status", "404")


@fault("V", "transport", "4.2.2.1")
def aia_returns_loop(case: Case) -> Case:
    """The issuer certificate URL redirects to itself.

    Clients must limit redirects and report an error.
    """
    return _returning(case, "loop")


@fault("P", "lint", "appliance", finds=("crl-distribution-point",))
def cdp_missing(case: Case) -> Case:
    """The certificate has no CRL distribution point.

    Appliances that download CRLs have no URL to use.
    """
    return leave_out(case, _CDP)


@fault("P", "lint", "appliance", finds=("crl-url-http",))
def cdp_https(case: Case) -> Case:
    """The certificate refers to its CRL with an https URL.

    Downloading it would first require validating another certificate.
    """
    return put(case, _CDP, _with_scheme(value_of(case, _CDP), "https"))


@fault("P", "lint", "appliance", finds=("crl-distribution-point", "crl-url-http"))
def cdp_ldap(case: Case) -> Case:
    """The certificate refers to its CRL with an ldap URL.

    RFC 5280 allows it; appliances download only over http.
    """
    return put(case, _CDP, _in_directory(case, value_of(case, _CDP), "certificateRevocationList"))


@fault("V", "path", "4.2.1.13", finds=("crl-point-not-critical",))
def cdp_critical(case: Case) -> Case:
    """The certificate has a critical CRL distribution points extension.

    It should not be critical; validators that do not process it must reject the certificate.
    """
    return set_critical(case, _CDP, True)


@fault(
    "V",
    "parse",
    "4.2.1.13",
    finds=("path:no-issuer", "path-valid", "crl-distribution-point", "chain-of-trust", "crl-point-complete"),
)
def cdp_reasons_only(case: Case) -> Case:
    """The certificate has a CRL distribution point that contains only reasons.

    A distribution point must contain a name (distributionPoint) or a cRLIssuer; strict parsers
    reject the certificate.
    """
    return put(case, _CDP, der.sequence(der.sequence(der.tlv(0x81, _REASONS))))


@fault("P", "lint", "4.2.1.13", finds=("crl-distribution-point", "extension-not-empty"))
def cdp_empty(case: Case) -> Case:
    """The certificate has an empty list of CRL distribution points.

    The list must contain at least one distribution point. Linters report it; some parsers reject the
    certificate.
    """
    return put(case, _CDP, EMPTY_SEQUENCE)


@fault(
    "V",
    "parse",
    "4.2.1.13",
    finds=(
        "path:no-issuer",
        "crl-point-not-critical",
        "path-valid",
        "crl-distribution-point",
        "crl-url-http",
        "chain-of-trust",
        "extension-readable",
        "crl-point-complete",
    ),
)
def cdp_malformed(case: Case) -> Case:
    """The certificate has CRL distribution points that cannot be decoded.

    Parsers that decode all extensions reject it; others do not notice it.
    """
    return put(case, _CDP, JUNK)


@fault("R", "revocation", "appliance")
def cdp_unreachable(case: Case) -> Case:
    """The certificate refers to a CRL at a port without a listener.

    Clients cannot download the CRL, and must not treat the certificate as not revoked.
    """
    return put(case, _CDP, _at(value_of(case, _CDP), None, _NOBODY_LISTENS))


@fault("R", "revocation", "appliance")
def cdp_unresolvable(case: Case) -> Case:
    """The certificate refers to a CRL at a host name that does not resolve.

    Clients cannot download the CRL; names below 'invalid' never resolve (RFC 6761, 6.4).
    """
    return put(case, _CDP, _at(value_of(case, _CDP), "crl.invalid", None))
