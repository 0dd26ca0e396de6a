"""Constraints on names that validators rarely compare: other names, X.400, EDI, email, URIs (4.2.1.10)."""

from __future__ import annotations

from pkigen.asn1 import der
from pkigen.cases.case import Case
from pkigen.cases.general_names import beside, edi_party, email, other_name, uri, x400
from pkigen.faults.families.name_constraints.subtrees import constrained, excluded, permitted
from pkigen.faults.registry import fault

_VIOLATED = ("path:name-constraint", "path-valid", "chain-of-trust")
_UNKNOWN_NAME, _SMTP_UTF8_MAILBOX = "1.3.6.1.4.1.55738.99.6", "1.3.6.1.5.5.7.8.9"


@fault("R", "path", "4.2.1.10", finds=_VIOLATED)
def nc_othername_unknown_excluded(case: Case) -> Case:
    """The certificate has a name of an unknown type that its issuing CA constrains.

    The CA excludes another value. Validators that cannot process a critical constraint on a type must
    reject a certificate with such a name.
    """
    own, other = (other_name(_UNKNOWN_NAME, der.string(der.UTF8_STRING, text)) for text in ("one", "other"))
    return constrained(beside(case, own), case.intermediate(), excluded(other))


@fault("R", "path", "4.2.1.10", finds=_VIOLATED)
def nc_x400(case: Case) -> Case:
    """The certificate has an X.400 address, which its issuing CA excludes.

    RFC 5280 does not define this comparison: validators must reject the certificate.
    """
    return constrained(beside(case, x400("US")), case.intermediate(), excluded(x400("US")))


@fault("R", "path", "4.2.1.10", finds=_VIOLATED, cves=("CVE-2020-1971",))
def nc_edi(case: Case) -> Case:
    """The certificate has an EDI party name, and its issuing CA excludes one.

    RFC 5280 does not define this comparison: validators must reject the certificate. OpenSSL before 1.1.1i
    could crash when it compared two such names.
    """
    name = edi_party("Contoso")
    return constrained(beside(case, name), case.intermediate(), excluded(name))


@fault("V", "path", "RFC 8398 6", finds=_VIOLATED, cves=("CVE-2022-3602",))
def nc_email_punycode(case: Case) -> Case:
    """The certificate has an international mailbox in an excluded domain.

    The constraint has the domain in Punycode, the certificate in UTF-8, which RFC 8398 required and RFC 9598
    forbids. Clients that decode Punycode report an excluded name; OpenSSL 3.0.0 to 3.0.6 had a buffer
    overflow there. Others ignore this type of name.
    """
    mailbox = other_name(_SMTP_UTF8_MAILBOX, der.string(der.UTF8_STRING, "s\u00e9nsor@b\u00fccher.test"))
    return constrained(beside(case, mailbox), case.intermediate(), excluded(email("xn--bcher-kva.test")))


@fault("R", "path", "4.2.1.10", finds=_VIOLATED, cves=("CVE-2024-45341",))
def nc_uri_zone(case: Case) -> Case:
    """The certificate has a URI with an IPv6 zone that looks like a permitted domain.

    A URI with an IP address must be rejected if URIs are constrained. Go before 1.23.5 compared the zone
    with the permitted domain, and accepted the certificate.
    """
    changed = beside(case, uri("https://[fe80::1%25.web.test]/sensor"))
    return constrained(changed, case.intermediate(), permitted(uri(".web.test")))


@fault("R", "path", "4.2.1.10")
def nc_uri_ip(case: Case) -> Case:
    """The certificate has a URI with an IP address, but its CA constrains hosts.

    Constraints apply to host names in URIs. A URI without one must be rejected if URIs are constrained,
    even if only by excluded subtrees.
    """
    changed = beside(case, uri("https://192.0.2.1/sensor"))
    return constrained(changed, case.intermediate(), excluded(uri("elsewhere.test")))
