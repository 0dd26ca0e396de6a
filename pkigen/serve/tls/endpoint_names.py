"""The host names by which TLS clients select the certificates of an environment."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkigen.environment.environment import Case

_WILDCARD_LABEL = "any"


def named_endpoints(cases: Iterator[Case]) -> Iterator[tuple[Case, str]]:
    """Yield each host name with the case that the server presents for it; a label replaces a wildcard."""
    seen = set[str]()
    for case in cases:
        for host in case.hosts if case.is_for_servers else ():
            name = host.lower().removesuffix(".")
            if _is_host_name(name) and name not in seen:
                seen.add(name)
                yield case, _WILDCARD_LABEL + name[1:] if name.startswith("*.") else name


def _is_host_name(host: str) -> bool:
    """Return whether a hosts file can contain the name (RFC 952, plus underscores, which are common)."""
    try:
        ip_address(host)
    except ValueError:
        labels = host.removeprefix("*.").split(".")
        return all(label.replace("-", "").replace("_", "").isalnum() and label.isascii() for label in labels)
    return False
