"""The addresses from which challenges are fetched: those that the template maps, or loopback.

A request must not make this server connect to any other address (SSRF). Names are never resolved by DNS, and
each connection is checked again for the address that it is connected to.
"""

from __future__ import annotations

import socket
import time
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address

from pkigen.enrolment.acme.problems import Problem
from pkigen.os_errors import os_error_reason
from pkigen.profile.enrolment import AcmeSettings

LOOPBACK = ("127.0.0.1", "::1")
TIMEOUT = 10.0
"""Seconds for the validation of a challenge."""

IpAddress = IPv4Address | IPv6Address


def addresses(settings: AcmeSettings, host: str) -> tuple[str, ...]:
    """Return the permitted addresses of a host (a name or an IP address): the first match of ``hosts``."""
    name = host.lower().rstrip(".")
    for pattern, address in settings.hosts.items():
        if fnmatchcase(name, pattern.lower()):
            return (_mapped(address),)
    literal = ip_of(host)
    return (str(literal),) if literal is not None and literal.is_loopback else LOOPBACK


def ip_of(host: str) -> IpAddress | None:
    """Return the IP address that a host is, or None for a name."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None


def permitted_ports(settings: AcmeSettings) -> frozenset[int]:
    """Return the ports to which a redirect may lead."""
    return frozenset({80, 443, settings.http_port, settings.tls_port})


def connect(settings: AcmeSettings, host: str, port: int, deadline: float) -> socket.socket:
    """Connect to a permitted address of a host; Problem if none accepts the connection."""
    reasons = list[str]()
    for address in addresses(settings, host):
        try:
            connection = socket.create_connection((address, port), timeout=remaining(deadline))
        except OSError as error:
            reasons.append(f"{address} port {port}: {os_error_reason(error)}")
            continue
        if ip_address(connection.getpeername()[0]) != ip_address(address):
            connection.close()
            raise Problem("connection", f"connected to another address than {address}")
        return connection
    raise Problem("connection", f"cannot connect to {host} at {'; '.join(reasons)}")


def remaining(deadline: float) -> float:
    """Return the seconds until a time of the monotonic clock; Problem if it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise Problem("connection", f"the validation took longer than {TIMEOUT:g} s")
    return left


def _mapped(address: str) -> str:
    literal = ip_of(address)
    if literal is None:
        raise Problem("connection", f"the template maps the host to '{address}', which is not an IP address")
    return str(literal)
