"""Whether a certificate is for a host (RFC 9525, 6.3): DNS names and IP addresses."""

from __future__ import annotations

import re
from ipaddress import ip_address

from pkigen.asn1.names import COMMON_NAME
from pkigen.x509 import Certificate, GeneralName

_LABEL = re.compile(r"[a-z0-9-]+")
_LABELS = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_PORT = re.compile(r"(\[[^\]]*\]|[^:\[\]]+):\d*")
_BRACKETS = re.compile(r"\[([^\[\]]*:[^\[\]]*)\]")


def host_mismatch(certificate: Certificate, host: str) -> str:
    """Why a certificate is not for a host; "" when it is. Malformed when its names cannot be read.

    A wildcard stands for one whole label, the left-most, of letters, digits and hyphens; OpenSSL takes
    f*.example.com as well. A final full stop of the host does not count; with OpenSSL it does. The
    common name counts only where there is no alternative name of kind dns or ip: browsers do not look
    at it, appliances do; OpenSSL does so beside addresses, too.
    """
    if words := invalid_host(host):
        return words
    names = _alternatives(certificate)
    wanted = _address(host)
    if wanted is not None:
        if any(name.kind == "ip" and name.value == wanted for name in names):
            return ""
    elif any(name.kind == "dns" and _matches(name.value, host) for name in names):
        return ""
    if names:
        return f"it is for {_listed([name.value for name in names])}"
    common = [a.value for rdn in certificate.subject for a in rdn if a.oid == COMMON_NAME]
    texts = [value for value in common if isinstance(value, str)]
    if wanted is None and any(_matches(value, host) for value in texts):
        return ""
    found = f"its common name is {_listed(texts)}" if texts else "it has no common name"
    return f"its subject alternative names contain no DNS name or IP address, and {found}"


def uses_common_name(certificate: Certificate) -> bool:
    """Whether the common name stands for hosts, for want of alternative names. May be Malformed."""
    return not _alternatives(certificate)


def invalid_host(host: str) -> str:
    """Why something is not the name or the address of a host; "" when it may be."""
    if not host.strip("."):
        return "the host is empty"
    if "/" in host:
        return f"'{host}' is a URL; give only the host"
    if _PORT.fullmatch(host):
        return f"'{host}' contains a port; give only the host"
    if not host.isascii():
        return f"'{host}' contains non-ASCII characters{_as_ascii(host)}"
    return ""


def _as_ascii(host: str) -> str:
    try:
        return f"; certificates contain it as {host.encode('idna').decode('ascii')}"
    except UnicodeError:
        return ""


def _alternatives(certificate: Certificate) -> list[GeneralName]:
    return [n for n in certificate.extensions.alternative_names or () if n.kind in ("dns", "ip")]


def _listed(values: list[str]) -> str:
    shown = ", ".join(value or "an empty name" for value in values[:5])
    return f"{shown} and {len(values) - 5} more" if len(values) > 5 else shown


def _address(host: str) -> str | None:
    """An address in the one form that certificates' are compared in; IPv6 also as URLs have it."""
    bracketed = _BRACKETS.fullmatch(host)
    try:
        return str(ip_address(bracketed[1] if bracketed else host))
    except ValueError:
        return None


def _matches(pattern: str, host: str) -> bool:
    """RFC 9525, 6.3: case does not count, in ASCII; a final full stop of the host does not either."""
    if not pattern.isascii():
        return False
    pattern, host = pattern.lower(), host.lower().removesuffix(".")
    if not pattern.startswith("*."):
        return pattern == host and "*" not in pattern
    first, _, rest = host.partition(".")
    whole = first == "*" or _LABEL.fullmatch(first) is not None
    return whole and rest == pattern[2:] and _LABELS.fullmatch(rest) is not None
