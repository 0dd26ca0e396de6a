"""Matches certificates with hosts (RFC 9525, 6.3): DNS names and IP addresses."""

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
    """Return why a certificate does not match a host; "" if it matches. Malformed if names cannot be read.

    A wildcard matches one whole label, the leftmost, of letters, digits and hyphens; OpenSSL also accepts
    f*.example.com. A trailing dot of the host is ignored, unlike in OpenSSL. The common name matters only if
    there is no alternative name of kind dns or ip: browsers ignore it, appliances do not; OpenSSL also
    considers it beside IP addresses.
    """
    if problem := invalid_host(host):
        return problem
    names = _alternatives(certificate)
    address = _address(host)
    if address is not None:
        if any(name.kind == "ip" and name.value == address for name in names):
            return ""
    elif any(name.kind == "dns" and _matches(name.value, host) for name in names):
        return ""
    if names:
        return f"it is for {_listed([name.value for name in names])}"
    common = [a.value for rdn in certificate.subject for a in rdn if a.oid == COMMON_NAME]
    texts = [value for value in common if isinstance(value, str)]
    if address is None and any(_matches(value, host) for value in texts):
        return ""
    subject = f"its common name is {_listed(texts)}" if texts else "it has no common name"
    return f"its subject alternative names contain no DNS name or IP address, and {subject}"


def uses_common_name(certificate: Certificate) -> bool:
    """Return whether the common name matters, because there is no alternative name. May raise Malformed."""
    return not _alternatives(certificate)


def invalid_host(host: str) -> str:
    """Return why a string is not a host name or an IP address; "" if it may be one."""
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
    listed = ", ".join(value or "an empty name" for value in values[:5])
    return f"{listed} and {len(values) - 5} more" if len(values) > 5 else listed


def _address(host: str) -> str | None:
    """Return an IP address in its canonical form; IPv6 also in brackets, as in URLs."""
    bracketed = _BRACKETS.fullmatch(host)
    try:
        return str(ip_address(bracketed[1] if bracketed else host))
    except ValueError:
        return None


def _matches(pattern: str, host: str) -> bool:
    """Match as in RFC 9525, 6.3: ASCII case and a trailing dot of the host do not matter."""
    if not pattern.isascii():
        return False
    pattern, host = pattern.lower(), host.lower().removesuffix(".")
    if not pattern.startswith("*."):
        return pattern == host and "*" not in pattern
    first, _, rest = host.partition(".")
    whole = first == "*" or _LABEL.fullmatch(first) is not None
    return whole and rest == pattern[2:] and _LABELS.fullmatch(rest) is not None
