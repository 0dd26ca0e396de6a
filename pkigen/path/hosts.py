"""Whether a certificate is for a host (RFC 9525, 6.3): DNS names and IP addresses."""

from __future__ import annotations

from ipaddress import ip_address

from pkigen.names import COMMON_NAME
from pkigen.x509 import Certificate, GeneralName


def covers(certificate: Certificate, host: str) -> str:
    """Why a certificate is not for a host; "" when it is. Malformed when its names cannot be read.

    A wildcard stands for one whole label, the left-most; OpenSSL takes f*.example.com as well. The
    common name counts only where there is no alternative name of kind dns or ip: browsers do not look
    at it, appliances do; OpenSSL does so beside addresses, too.
    """
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
    return f"it has no DNS name and no address among its alternative names, and {found}"


def by_common_name(certificate: Certificate) -> bool:
    """Whether the common name stands for hosts, for want of alternative names. May be Malformed."""
    return not _alternatives(certificate)


def _alternatives(certificate: Certificate) -> list[GeneralName]:
    return [n for n in certificate.extensions.alternative_names or () if n.kind in ("dns", "ip")]


def _listed(values: list[str]) -> str:
    shown = ", ".join(values[:5])
    return f"{shown} and {len(values) - 5} more" if len(values) > 5 else shown


def _address(host: str) -> str | None:
    try:
        return str(ip_address(host.strip("[]")))
    except ValueError:
        return None


def _matches(pattern: str, host: str) -> bool:
    """RFC 9525, 6.3: case does not count, a final full stop of the host does not either."""
    pattern, host = pattern.lower(), host.lower().removesuffix(".")
    if not pattern.startswith("*."):
        return pattern == host and "*" not in pattern
    first, _, rest = host.partition(".")
    return bool(first) and rest == pattern[2:] and "." in rest and "*" not in rest
