"""The syntax of general names (RFC 5280, 4.2.1.6 and 4.2.1.10; RFC 5890)."""

from __future__ import annotations

import re
from ipaddress import ip_address
from unicodedata import is_normalized
from urllib.parse import urlsplit

from pkigen.x509 import GeneralName

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_LONGEST_DNS_NAME = 253
_NOT_PUBLIC = (
    *("alt", "example", "invalid", "local", "localhost", "test"),
    *("example.com", "example.net", "example.org", "home.arpa", "ipv4only.arpa", "resolver.arpa"),
    *("service.arpa", "eap-noob.arpa", "6tisch.arpa", "10.in-addr.arpa", "168.192.in-addr.arpa"),
    *("254.169.in-addr.arpa", *(f"{number}.172.in-addr.arpa" for number in range(16, 32))),
    *("internal", "intranet", "private", "corp", "home", "lan", "mail", "localdomain"),
)
"""Domains without public names: IANA's special-use domain names (RFC 6761), the names of private networks
(RFC 6762, appendix G), and top-level domains that ICANN does not delegate. onion is not one of them: public
CAs may issue certificates for it (CA/Browser Forum, appendix B)."""
_REVERSE_ZONES = ("in-addr.arpa", "ip6.arpa")


def is_well_formed(name: GeneralName) -> bool:
    """Return whether an alternative name has the syntax of its kind."""
    match name.kind:
        case "dns":
            return is_host_name(name.value.removeprefix("*."))
        case "email":
            local, at, domain = name.value.rpartition("@")
            return bool(at and local) and not re.search(r"[\s<>@]", local) and is_host_name(domain)
        case "uri":
            return _is_uri(name.value)
        case "ip":
            return "/" not in name.value
    return bool(name.value)


def is_public(name: GeneralName) -> bool:
    """Return whether a DNS name or an IP address can be globally unique; other kinds of names can."""
    if name.kind == "ip":
        return "/" not in name.value and ip_address(name.value).is_global
    host = name.value.lower().rstrip(".").removeprefix("*.")
    return name.kind != "dns" or ("." in host and not _is_below(host, _NOT_PUBLIC))


def is_in_reverse_zone(name: GeneralName) -> bool:
    """Return whether a DNS name is in a zone that maps addresses to names (RFC 1035, 3.5; RFC 3596, 2.5)."""
    return name.kind == "dns" and _is_below(name.value.lower().rstrip("."), _REVERSE_ZONES)


def has_well_placed_wildcard(name: GeneralName) -> bool:
    """Return whether a DNS name has no wildcard, or only one that is its whole left-most label."""
    return name.kind != "dns" or "*" not in name.value.removeprefix("*.")


def is_constraint(name: GeneralName) -> bool:
    """Return whether the base of a name constraint has the syntax of its kind (4.2.1.10)."""
    match name.kind:
        case "uri":
            return _is_domain(name.value.removeprefix("."))
        case "dns":
            return not name.value or is_host_name(name.value.removeprefix("."))
        case "email":
            return not name.value or is_host_name(name.value.rpartition("@")[2].removeprefix("."))
        case "ip":
            return "/" in name.value
    return True


def is_host_name(text: str) -> bool:
    """Return whether a text is a DNS name in the preferred syntax, without a wildcard."""
    labels = text.split(".")
    return (
        len(text) <= _LONGEST_DNS_NAME
        and all(map(_LABEL.fullmatch, labels))
        and not labels[-1].isdigit()
        and all(map(_is_unicode, labels))
    )


def _is_unicode(label: str) -> bool:
    """Return whether the label is not an A-label, or encodes a normalized Unicode label (RFC 5891, 4)."""
    if not label.lower().startswith("xn--"):
        return True
    try:
        return is_normalized("NFC", label[4:].encode("ascii").decode("punycode"))
    except UnicodeError:
        return False


def _is_uri(text: str) -> bool:
    """Return whether a text is an absolute URI, with a host name or an address if it has an authority."""
    if not re.match(r"[a-z][a-z0-9+.-]*:.", text, re.IGNORECASE) or re.search(r"[\s<>\"]", text):
        return False
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError:
        return False
    if not parts.netloc:
        return not text.partition(":")[2].startswith("//") and bool(parts.path)
    return host is not None and (_is_address(host) or _is_domain(host.removeprefix("*.")))


def _is_below(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)


def _is_domain(host: str) -> bool:
    return "." in host and is_host_name(host)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
