"""Subject alternative names (RFC 5280, 4.2.1.6; RFC 9525)."""

from __future__ import annotations

import re
from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import (
    Case,
    Impossible,
    common_name,
    shortened,
)
from pkigen.cases.extension_values import (
    EMPTY_SEQUENCE,
    JUNK,
    leave_out,
    put,
    set_critical,
    value_of,
)
from pkigen.cases.general_names import (
    beside,
    dns,
    existing_dns_names,
    existing_names,
)
from pkigen.faults.registry import fault

SAN = oids.SUBJECT_ALTERNATIVE_NAME
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
_CABF = "CABF BR 7.1.2.7.12"


def host_of(case: Case) -> str:
    """Return the host name that clients connect to."""
    return case.entity.hosts[0] if case.entity.hosts else common_name(case.plan.subject) or "host.test"


def _domain_of(case: Case) -> str:
    """Return the domain of further names: the host name, so that they have no other defect."""
    host = host_of(case).removeprefix("*.")
    return host if _HOST_NAME.fullmatch(host) and not host.rpartition(".")[2].isdecimal() else "host.test"


def only_names(case: Case, *names: bytes) -> Case:
    """Replace all alternative names."""
    return put(case, SAN, der.sequence(*names))


@fault("R", "name", "RFC 9525 2", finds=("names-in-san",))
def san_missing(case: Case) -> Case:
    """The certificate has no subject alternative name (SAN), only a common name.

    Browsers ignore the common name and report a host name mismatch; OpenSSL and older clients
    accept it. Add a SAN.
    """
    return leave_out(case, SAN)


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san"))
def san_wrong_host(case: Case, *, host: str = "wrong-host.test") -> Case:
    """The certificate is for another host.

    Clients report a host name mismatch. Issue a certificate for the host.
    """
    if not _HOST_NAME.fullmatch(host) or host.rpartition(".")[2].isdecimal():
        raise Impossible(f"'{host}' is not a host name, which would be another fault")
    parent = host.removeprefix("*.").lower() if host.startswith("*.") else ""
    hosts = {one.lower() for one in case.entity.hosts}
    if host.lower() in hosts or any(one.partition(".")[2] == parent for one in hosts if parent):
        raise Impossible(f"the certificate is already for {host}")
    return only_names(case, dns(host))


@fault("V", "parse", "4.2.1.6", finds=("san-not-empty", "names-in-san", "cn-in-san", "extension-not-empty"))
def san_empty(case: Case) -> Case:
    """The certificate has a SAN without any names.

    A SAN must contain at least one name; some parsers reject the certificate.
    """
    return put(case, SAN, EMPTY_SEQUENCE)


@fault(
    "R",
    "parse",
    "4.2.1.6",
    finds=(
        "path:no-issuer",
        "path:malformed",
        "san-not-empty",
        "path-valid",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
        "chain-of-trust",
        "extension-readable",
        "san-syntax",
    ),
)
def san_malformed(case: Case) -> Case:
    """The certificate has a SAN that cannot be decoded.

    Clients reject the certificate, because they cannot read any host name.
    """
    return put(case, SAN, JUNK)


@fault(
    "V",
    "parse",
    "X.690 8.1",
    finds=(
        "path:malformed",
        "san-not-empty",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
        "extension-readable",
        "san-syntax",
    ),
)
def san_trailing_data(case: Case) -> Case:
    """The certificate has a SAN that is followed by an extra byte.

    Strict parsers reject trailing data in an extension.
    """
    return put(case, SAN, value_of(case, SAN) + b"\x00")


@fault("V", "lint", "4.2.1.6")
def san_critical(case: Case) -> Case:
    """The certificate has a critical SAN although its subject is not empty.

    The SAN should be critical only if the subject is empty; few clients reject it.
    """
    return set_critical(case, SAN, True)


@fault("V", "parse", "4.2.1.6", finds=("name-syntax", "san-syntax"))
def san_dns_empty(case: Case) -> Case:
    """The certificate has an empty DNS name in its SAN.

    A DNS name needs at least one label; some clients reject the certificate.
    """
    return beside(case, dns(""))


@fault("V", "parse", "RFC 5890 2.3.2", finds=("name-syntax", "san-syntax"))
def san_dns_utf8(case: Case) -> Case:
    """The certificate has a SAN DNS name in UTF-8.

    Internationalized names must be written as A-labels; some parsers reject the certificate.
    """
    return beside(case, dns("b\u00fccher.test"))


@fault("V", "parse", "4.2.1.6", finds=("name-syntax", "san-syntax"))
def san_dns_latin1(case: Case) -> Case:
    """The certificate has a SAN DNS name in Latin-1.

    IA5String allows only 7-bit characters; some parsers reject the certificate.
    """
    return beside(case, dns(b"b\xfccher.test"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_underscore(case: Case) -> Case:
    """The certificate has a SAN DNS name with an underscore.

    Host names do not allow underscores; linters report it.
    """
    return beside(case, dns(f"a_b.{_domain_of(case)}"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_space(case: Case) -> Case:
    """The certificate has a SAN DNS name with a space.

    Host names do not allow spaces; linters report it.
    """
    return beside(case, dns(f"a b.{_domain_of(case)}"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_leading_dot(case: Case) -> Case:
    """The certificate has a SAN DNS name that begins with a dot.

    Host names do not begin with a dot; linters report it.
    """
    return beside(case, dns(f".{_domain_of(case)}"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_label_64(case: Case) -> Case:
    """The certificate has a SAN DNS name with a label of 64 characters.

    The maximum is 63 characters; linters report it.
    """
    return beside(case, dns(f"{'a' * 64}.{_domain_of(case)}"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_254_chars(case: Case) -> Case:
    """The certificate has a SAN DNS name of 254 characters.

    The maximum is 253 characters; linters report it.
    """
    labels, domain = ".".join(["a" * 49] * 5), _domain_of(case)
    if len(domain) > len(labels):
        raise Impossible("its host name is too long for this")
    return beside(
        case, dns(f"{labels[: 253 - len(domain)].rstrip('.').ljust(253 - len(domain), 'a')}.{domain}")
    )


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_double_dot(case: Case) -> Case:
    """The certificate has a SAN DNS name with two consecutive dots.

    Labels must not be empty; linters report it.
    """
    return beside(case, dns(f"a..{_domain_of(case)}"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_hyphen_start(case: Case) -> Case:
    """The certificate has a SAN DNS name that begins with a hyphen.

    Labels begin with a letter or a digit; linters report it.
    """
    return beside(case, dns(f"-a.{_domain_of(case)}"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_ip_in_dns(case: Case) -> Case:
    """The certificate has an IP address as a SAN DNS name.

    IP addresses require the iPAddress type; linters report it.
    """
    return beside(case, dns("10.0.0.1"))


@fault("P", "lint", _CABF, finds=("name-syntax", "san-syntax"))
def san_url_in_dns(case: Case) -> Case:
    """The certificate has a URL as a SAN DNS name.

    URLs require the uniformResourceIdentifier type; linters report it.
    """
    return beside(case, dns(f"https://{_domain_of(case)}/"))


@fault("R", "name", "4.2.1.6", finds=("path:hostname", "cn-in-san", "name-syntax", "san-syntax"))
def san_trailing_dot(case: Case) -> Case:
    """The certificate has a single SAN DNS name, which ends with a dot.

    Most clients report a host name mismatch: names in certificates have no trailing dot.
    """
    return only_names(case, dns(f"{host_of(case)}."))


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san", "name-syntax", "san-syntax"))
def san_wildcard_only(case: Case) -> Case:
    """The certificate has '*' as its only SAN DNS name.

    Clients report a host name mismatch: a wildcard stands for one label of a longer name.
    """
    return only_names(case, dns("*"))


@fault("V", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san"))
def san_wildcard_tld(case: Case) -> Case:
    """The certificate has a wildcard for an entire TLD as its only SAN name.

    The name matches the host formally; some clients require at least two labels after the wildcard.
    """
    labels = existing_dns_names(case)[0].split(".")
    if len(labels) < 2:
        raise Impossible("a DNS name of the certificate is a single label")
    host = f"{shortened('-'.join(labels[:-1]), 63)}.{labels[-1]}"
    renamed = replace(case, entity=replace(case.entity, hosts=(host,)))
    if common_name(case.plan.subject):
        renamed = renamed.with_attribute("CN", host)
    return only_names(renamed, dns(f"*.{labels[-1]}"))


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san", "name-syntax", "san-syntax"))
def san_wildcard_partial(case: Case) -> Case:
    """The certificate has a wildcard for only part of a label as its only SAN name.

    A wildcard must be a complete label: clients must report a host name mismatch. Many still accept the
    name.
    """
    host = host_of(case)
    return only_names(case, dns(f"{host[0]}*.{host.partition('.')[2]}"))


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san", "name-syntax", "san-syntax"))
def san_wildcard_not_leftmost(case: Case) -> Case:
    """The certificate has a wildcard in the second label of its only SAN name.

    Most clients report a host name mismatch: a wildcard must be the leftmost label.
    """
    first, _, rest = host_of(case).partition(".")
    return only_names(case, dns(f"{first}.*.{rest.partition('.')[2]}"))


@fault("P", "lint", "CABF BR 3.2.2.6")
def san_wildcard_public_suffix(case: Case) -> Case:
    """The certificate has a SAN wildcard directly below a public suffix.

    Such a name covers the hosts of all registrants; public CAs must not issue it.
    """
    return beside(case, dns("*.co.uk"))


@fault(
    "V",
    "parse",
    "4.2.1.6",
    finds=(
        "path:malformed",
        "san-not-empty",
        "names-in-san",
        "cn-in-san",
        "name-syntax",
        "extension-readable",
        "san-syntax",
    ),
)
def san_ip_bad_length(case: Case) -> Case:
    """The certificate has a SAN IP address of three bytes.

    An IP address has 4 or 16 bytes; some parsers reject the certificate.
    """
    return beside(case, der.tlv(0x87, b"\x0a\x00\x01"))


@fault("P", "lint", "4.2.1.6", finds=("name-syntax", "san-syntax"))
def san_bad_email(case: Case) -> Case:
    """The certificate has a SAN email address without an @.

    The value is not a mailbox; linters report it.
    """
    return beside(case, der.tlv(0x81, b"nobody"))


@fault("P", "lint", "4.2.1.6", finds=("name-syntax", "san-syntax"))
def san_relative_uri(case: Case) -> Case:
    """The certificate has a relative URI in its SAN.

    The URI must be absolute; linters report it.
    """
    return beside(case, der.tlv(0x86, b"path/only"))


@fault("P", "lint", "4.2.1.6")
def san_duplicate(case: Case) -> Case:
    """The certificate contains the same SAN name twice.

    Linters report the duplicate; clients ignore it.
    """
    return beside(case, existing_names(case)[0])


@fault("V", "parse", "4.2.1.6", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def san_unknown_tag(case: Case) -> Case:
    """The certificate has a SAN name of an undefined type.

    GeneralName defines the tags 0 to 8; some parsers reject others.
    """
    return beside(case, der.tlv(0x89, b"x"))


@fault("A", "path", "4.2.1.6")
def san_1000(case: Case, *, names: int = 1_000) -> Case:
    """The certificate has {names} additional SAN names.

    Clients must accept it: it is large, but valid (control case).
    """
    return beside(case, *(dns(f"host-{number}.test") for number in range(names)))


@fault("V", "path", "4.2.1.6")
def san_10000(case: Case) -> Case:
    """The certificate has 10,000 additional SAN names.

    The certificate is valid, but most TLS libraries reject its size: the limit of OpenSSL's clients is
    100 KiB. Use fewer names.
    """
    return beside(case, *(dns(f"host-{number}.test") for number in range(10_000)))
