"""Whether a certificate is for a host (RFC 9525, 6.3): DNS names and IP addresses."""

from __future__ import annotations

from ipaddress import ip_address

from pkigen.x509 import Certificate

_COMMON_NAME = "2.5.4.3"


def covers(certificate: Certificate, host: str) -> str:
    """Why a certificate is not for a host; "" when it is. Malformed when its names cannot be read.

    A wildcard stands for one whole label, the left-most. The common name counts only where there is
    no alternative name of kind dns or ip: browsers do not look at it, OpenSSL and appliances do.
    """
    names = certificate.extensions.alternative_names or ()
    usable = [name for name in names if name.kind in ("dns", "ip")]
    wanted = _address(host)
    if wanted is not None:
        if any(name.kind == "ip" and name.value == wanted for name in usable):
            return ""
    elif any(name.kind == "dns" and _matches(name.value, host) for name in usable):
        return ""
    if usable:
        return f"it is for {_listed([name.value for name in usable])}"
    common = [a.value for rdn in certificate.subject for a in rdn if a.oid == _COMMON_NAME]
    texts = [value for value in common if isinstance(value, str)]
    if wanted is None and any(_matches(value, host) for value in texts):
        return ""
    return f"it has no alternative name, and its common name is {_listed(texts) or 'missing'}"


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
