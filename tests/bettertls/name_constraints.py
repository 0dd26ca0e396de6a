"""The suite ``nameconstraints`` of BetterTLS: names and constraints in all combinations, 9,491 cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from itertools import product

NONE, VALID, INVALID = "-", "v", "i"
"""A name that is absent, the host of the client or a constraint that contains it, and others."""
_VALUES = (NONE, VALID, INVALID)
NAMES = {"dns": {VALID: "test.localhost", INVALID: "bad.example.com"}}
NAMES["ip"] = {VALID: "127.0.0.1", INVALID: "1.1.1.1"}
PERMITTED = {
    "dns": {VALID: "localhost", INVALID: "example.com"},
    "ip": {VALID: "127.0.0.0/24", INVALID: "1.1.1.0/24"},
}
EXCLUDED = {"dns": {VALID: "localhost", INVALID: "bad.example.com"}, "ip": PERMITTED["ip"]}
TAGS = range(16)
_SCHEMES = ("http", "https", "spiffe", "unspec")


def _absent() -> dict[str, str]:
    return {"dns": NONE, "ip": NONE}


@dataclass(frozen=True)
class NameCase:
    """A case: ``host`` is the kind of the client's host name; ``extra`` is a further name (tag, contents).

    ``common`` is the kind of the common name and its value; the other fields map kinds of names to values.
    """

    number: int
    host: str
    common: tuple[str, str] = ("dns", NONE)
    names: dict[str, str] = field(default_factory=_absent)
    permitted: dict[str, str] = field(default_factory=_absent)
    excluded: dict[str, str] = field(default_factory=_absent)
    extra: tuple[int, bytes] | None = None

    @property
    def constraints(self) -> str:
        """The constraints in the order of name kinds, permitted before excluded."""
        return "".join(part[kind] for kind in ("dns", "ip") for part in (self.permitted, self.excluded))

    @property
    def certificate(self) -> tuple[object, ...]:
        """What the certificate and its CA contain: without the client's host name."""
        common = self.common if self.common[1] != NONE else NONE
        return (common, *self.names.values(), self.constraints, self.extra)

    @property
    def verdict(self) -> tuple[bool, bool]:
        """Whether a client accepts the certificate, and whether that is required."""
        has_name = self.names[self.host] == VALID
        if not has_name and self.common != (self.host, VALID):
            return False, True
        if self._violates(self.host, VALID):
            return False, True
        if not has_name or any(self._violates(kind, value) for kind, value in self.names.items()):
            return False, False
        return True, not self._violates(*self.common)

    @property
    def violates_alone(self) -> bool:
        """Whether the client's host name violates the only constraint."""
        return self.constraints.count(NONE) == 3 and self._violates(self.host, VALID)

    def _violates(self, kind: str, value: str) -> bool:
        """Return whether a name violates the constraints of its kind."""
        if value == NONE:
            return False
        return self.permitted[kind] not in (NONE, value) or self.excluded[kind] == value


def cases() -> Iterator[NameCase]:
    """Yield all cases in BetterTLS's order."""
    for number, case in enumerate(_unnumbered()):
        yield replace(case, number=number)


def _unnumbered() -> Iterator[NameCase]:
    dns, other = {"dns": VALID, "ip": NONE}, {"dns": INVALID, "ip": NONE}
    yield NameCase(0, "dns", ("dns", VALID), dns)
    yield NameCase(0, "dns", ("dns", VALID), dns, permitted=dns)
    yield NameCase(0, "dns", names=dns)
    yield NameCase(0, "dns", names=other)
    for value in (VALID, INVALID):
        yield NameCase(0, "ip", names={"dns": NONE, "ip": value})
    joined = f"http://foo.bar, DNS:{NAMES['dns'][VALID]}".encode()
    yield NameCase(0, "dns", names=other, excluded=dns, extra=(6, joined))
    for host, kind in product(("dns", "ip"), repeat=2):
        for common, dns_name, ip_name, *constraints in product(_VALUES, repeat=7):
            dns_permitted, ip_permitted, dns_excluded, ip_excluded = constraints
            yield NameCase(
                0,
                host,
                (kind, common),
                {"dns": dns_name, "ip": ip_name},
                {"dns": dns_permitted, "ip": ip_permitted},
                {"dns": dns_excluded, "ip": ip_excluded},
            )
    name, address = (NAMES[kind][VALID] for kind in ("dns", "ip"))
    for tag in TAGS:
        for text in (name, *(f"{scheme}://{name}" for scheme in _SCHEMES)):
            yield from _with_extra("dns", tag, text.encode())
        for data in (ip_address(address).packed, address.encode()):
            yield from _with_extra("ip", tag, data)
    leading = NAMES["dns"][INVALID]
    for separator, prefix, first in product(
        (", ", ",", ";", ":"), ("", "DNS:"), (leading, f"http://{leading}")
    ):
        for tag in TAGS:
            yield from _with_extra("dns", tag, f"{first}{separator}{prefix}{name}".encode())


def _with_extra(host: str, tag: int, contents: bytes) -> Iterator[NameCase]:
    """Yield the cases whose alternative name is not the host, and whose further name contains it."""
    names = {**_absent(), host: INVALID}
    yield NameCase(0, host, names=names, permitted={**_absent(), host: INVALID}, extra=(tag, contents))
    yield NameCase(0, host, names=names, excluded={**_absent(), host: VALID}, extra=(tag, contents))
