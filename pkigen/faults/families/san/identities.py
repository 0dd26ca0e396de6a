"""Identities of a server in the wrong place, in the wrong form, or in text that looks like another name."""

from __future__ import annotations

from dataclasses import replace

from pkigen.cases.case import Case, Impossible, common_name
from pkigen.cases.extension_values import leave_out
from pkigen.cases.general_names import beside, dns, edi_party, email, ip, uri, x400
from pkigen.faults.families.san.alternative_names import SAN, host_of, only_names
from pkigen.faults.registry import fault

_OTHER_HOST = "other-host.test"
_ADDRESS = "192.0.2.80"
_MISMATCH = ("path:hostname", "cn-in-san")


@fault(
    "R",
    "name",
    "RFC 9525 6.3",
    finds=(
        "path:hostname",
        "names-in-san",
        "cn-in-san",
    ),
)
def san_host_in_uri(case: Case) -> Case:
    """The certificate has its host name only in a SAN URI.

    Clients compare host names with DNS names, and report a host name mismatch. Use a DNS name.
    """
    return _with_other_cn(only_names(case, uri(f"https://{host_of(case)}/")))


@fault(
    "R",
    "name",
    "RFC 9525 6.3",
    finds=(
        "path:hostname",
        "san-syntax",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
    ),
    cves=("CVE-2020-36477",),
)
def san_host_in_email(case: Case) -> Case:
    """The certificate has its host name only as a SAN email address.

    Clients report a host name mismatch. Mbed TLS before 2.24 compared alternative names of all types.
    """
    return _with_other_cn(only_names(case, email(host_of(case))))


@fault("R", "name", "RFC 9525 6.3", finds=_MISMATCH)
def san_wildcard_wrong_depth(case: Case) -> Case:
    """The certificate has a wildcard that is two labels above its host.

    Clients report a host name mismatch: a wildcard stands for exactly one label.
    """
    labels = host_of(case).split(".")
    if len(labels) < 4:
        raise Impossible("the host name of the certificate has too few labels")
    return only_names(case, dns(f"*.{'.'.join(labels[2:])}"))


@fault(
    "R",
    "name",
    "RFC 9525 6.3",
    finds=(
        "path:hostname",
        "san-syntax",
        "cn-in-san",
        "name-syntax",
    ),
)
def san_wildcard_double(case: Case) -> Case:
    """The certificate has a SAN DNS name with two wildcard labels.

    Most clients report a host name mismatch: only the leftmost label can be a wildcard.
    """
    labels = host_of(case).split(".")
    if len(labels) < 4:
        raise Impossible("the host name of the certificate has too few labels")
    return only_names(case, dns(f"*.*.{'.'.join(labels[2:])}"))


@fault(
    "R",
    "name",
    "RFC 9525 6.4",
    finds=(
        "path:hostname",
        "san-syntax",
        "cn-in-san",
        "name-syntax",
    ),
)
def san_ip_as_dns(case: Case) -> Case:
    """The certificate has the IP address of its server only as a DNS name.

    Clients that connect to the address must report a mismatch, because they compare addresses only with
    names of the type iPAddress; some do not.
    """
    return only_names(_at_address(case), dns(_ADDRESS))


@fault(
    "R",
    "name",
    "RFC 9525 6.4",
    finds=(
        "path:hostname",
        "names-in-san",
        "subject-cn",
    ),
)
def san_ip_in_cn_only(case: Case) -> Case:
    """The certificate has the IP address of its server only in the common name.

    Clients that connect to the address must report a mismatch, because they compare addresses only with
    names of the type iPAddress; some do not.
    """
    return leave_out(_at_address(case).with_attribute("CN", _ADDRESS), SAN)


def _with_other_cn(case: Case) -> Case:
    """Replace the common name, which some clients use if there is no DNS name."""
    return case.with_attribute("CN", _OTHER_HOST) if common_name(case.plan.subject) else case


def _at_address(case: Case) -> Case:
    """Return the case of a server that clients connect to by its IP address."""
    host_of(case)
    return replace(case, entity=replace(case.entity, hosts=(_ADDRESS,)))


@fault("V", "parse", "4.2.1.6")
def san_edi_party(case: Case) -> Case:
    """The certificate also has an EDI party name in its SAN.

    The type is valid but not used in practice; some parsers reject the certificate.
    """
    return beside(case, edi_party("Contoso"))


@fault("V", "parse", "4.2.1.6", cves=("CVE-2023-0286",))
def san_x400(case: Case) -> Case:
    """The certificate also has an X.400 address in its SAN.

    The type is valid but not used in practice; some parsers reject the certificate. OpenSSL before 3.0.8
    read it as another type when it compared it with a CRL distribution point.
    """
    return beside(case, x400("US"))


@fault("R", "name", "RFC 9525 6.3", finds=(*_MISMATCH, "name-syntax", "san-syntax"), cves=("CVE-2021-44532",))
def san_injection(case: Case) -> Case:
    """The certificate has a SAN DNS name with ', DNS:' and its host name in it.

    Programs that print all names in one line and split it again find the host, as Node.js did before 16.13.2.
    Others report a host name mismatch.
    """
    return only_names(case, dns(f"{_OTHER_HOST}, DNS:{host_of(case)}"))


@fault("A", "name", "RFC 9525 6.3", finds=("cn-in-san",))
def san_wildcard_ok(case: Case) -> Case:
    """The certificate has a wildcard for the first label of its host as its only name.

    Clients must accept it: the wildcard is the complete leftmost label, and stands for exactly one label
    (control case).
    """
    first, _, rest = host_of(case).partition(".")
    if first == "*" or "." not in rest:
        raise Impossible("the host name of the certificate has too few labels")
    return only_names(case, dns(f"*.{rest}"))


@fault("R", "name", "RFC 9525 6.3", finds=(*_MISMATCH, "san-syntax", "name-syntax"))
def san_wildcard_in_alabel(case: Case) -> Case:
    """The certificate has a wildcard inside an internationalized label (A-label).

    Clients report a host name mismatch: the Punycode of a label has no prefix that a wildcard could complete.
    """
    rest = host_of(case).partition(".")[2]
    if "." not in rest:
        raise Impossible("the host name of the certificate has too few labels")
    host = f"xn--sensr-kva.{rest}"
    renamed = replace(case, entity=replace(case.entity, hosts=(host,)))
    return only_names(renamed, dns(f"xn--s*-kva.{rest}"))


@fault("A", "name", "RFC 9525 6.4", finds=("cn-in-san",))
def san_ip_ok(case: Case) -> Case:
    """The certificate has the IP address of its server as its only SAN name.

    Clients that connect to the address must accept the certificate (control case).
    """
    return only_names(_at_address(case), ip(bytes(map(int, _ADDRESS.split(".")))))
