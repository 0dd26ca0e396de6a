"""Name constraints that OpenSSL applies to an address in the common name, as if it were a DNS name.

OpenSSL applies constraints on DNS names also to the common name of a certificate without DNS names. They do
not restrict addresses (RFC 5280, 4.2.1.10), which the certificate has as alternative names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pkigen.asn1.names import COMMON_NAME
from pkigen.inspection.path.openssl import PathInput, validate_with_openssl
from pkigen.inspection.path.problems import PathProblem
from pkigen.x509 import Certificate, Malformed
from pkigen.x509.extensions import Subtree

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_PERMITTED_SUBTREE, _EXCLUDED_SUBTREE = 47, 48
"""X509_V_ERR codes."""


def only_common_name_violates(
    given: PathInput, problems: list[PathProblem], path: tuple[Certificate, ...]
) -> bool:
    """Return whether OpenSSL's only problem with a path is an address in the common name.

    False if other names than addresses could violate a constraint, or if the path may not be OpenSSL's.
    """
    if len(problems) != 1 or path[-1] not in given.anchors:
        return False
    (problem,) = problems
    if problem.depth != 0 or problem.code not in (_PERMITTED_SUBTREE, _EXCLUDED_SUBTREE):
        return False
    try:
        addresses = _addresses(path[0])
        satisfied = bool(addresses) and all(_satisfied(one, addresses) for one in path[1:])
    except (Malformed, ValueError):
        return False
    same = replace(given, intermediates=path[1:-1], anchors=path[-1:])
    return satisfied and validate_with_openssl(same) == (problems, path)


def _addresses(leaf: Certificate) -> list[Address]:
    """Return the alternative names of a certificate; ValueError if one, or a common name, is no address."""
    names = leaf.extensions.alternative_names or ()
    addresses = [ip_address(name.value) for name in names if name.kind == "ip"]
    for attribute in (attribute for rdn in leaf.subject for attribute in rdn):
        if attribute.oid == COMMON_NAME:
            ip_address(str(attribute.value))
    if len(addresses) != len(names):
        raise ValueError("there is a name of another kind")
    return addresses


def _satisfied(authority: Certificate, addresses: Iterable[Address]) -> bool:
    """Return whether addresses satisfy the constraints of a CA; ValueError for constraints on other kinds."""
    constraints = authority.extensions.name_constraints or ()
    permitted = [one for kind, subtrees in constraints if kind == "permitted" for one in subtrees]
    excluded = [one for kind, subtrees in constraints if kind == "excluded" for one in subtrees]
    inside, outside = list(_networks(permitted)), list(_networks(excluded))
    return all(
        (not inside or any(address in network for network in inside))
        and not any(address in network for network in outside)
        for address in addresses
    )


def _networks(subtrees: Iterable[Subtree]) -> Iterator[Network]:
    for subtree in subtrees:
        if subtree.base.kind not in ("dns", "ip") or subtree.minimum or subtree.has_maximum:
            raise ValueError("a constraint on another kind of names")
        if subtree.base.kind == "ip":
            yield ip_network(subtree.base.value)
