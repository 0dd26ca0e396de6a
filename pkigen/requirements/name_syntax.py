"""The syntax of general names (RFC 5280, 4.2.1.6 and 4.2.1.10; RFC 5890)."""

from __future__ import annotations

import re
from ipaddress import ip_address
from unicodedata import is_normalized
from urllib.parse import urlsplit

from pkigen.x509 import GeneralName

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_LONGEST_DNS_NAME = 253


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


def _is_domain(host: str) -> bool:
    return "." in host and is_host_name(host)


def _is_address(text: str) -> bool:
    try:
        return bool(ip_address(text))
    except ValueError:
        return False
