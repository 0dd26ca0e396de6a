"""Name constraints (RFC 5280, 4.2.1.10)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from pydantic import model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.extension_values import put
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.name_syntax import is_constraint
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate


@demand
class NameConstraints(Demand):
    """The subtrees of the name constraints.

    ``no_distances``: minimum is 0 and maximum is absent. ``syntax``: a constraint of a URI or DNS name is a
    domain name, of an IP address an address with a mask. ``not_empty``: each list has a subtree.
    """

    kind: ClassVar[str] = "name_constraints"
    field: ClassVar[str | None] = oids.NAME_CONSTRAINTS
    blame: ClassVar[tuple[str, ...]] = ("name_constraints",)

    no_distances: bool = False
    syntax: bool = False
    not_empty: bool = False

    @model_validator(mode="after")
    def _has_a_condition(self) -> NameConstraints:
        if not (self.no_distances or self.syntax or self.not_empty):
            raise ValueError("no condition given; set at least one of no_distances, syntax, not_empty")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check each subtree."""
        constraints = certificate.extensions.name_constraints
        if constraints is None:
            return not_applicable("there are no name constraints")
        subtrees = [subtree for _, part in constraints for subtree in part]
        if self.not_empty and not (constraints and all(part for _, part in constraints)):
            return failed("an empty list", "a permitted or excluded subtree")
        text = ", ".join(str(subtree.base) for subtree in subtrees) or "no subtree"
        if self.no_distances and (bounded := [one for one in subtrees if one.minimum or one.has_maximum]):
            return failed(f"{bounded[0].base} with minimum or maximum", "no minimum and no maximum")
        if self.syntax and (invalid := [one for one in subtrees if not is_constraint(one.base)]):
            return failed(str(invalid[0].base), "domain names, and addresses with a mask")
        return passed(text)

    def violations(self) -> Iterator[Violation]:
        """An empty list; a minimum, a maximum; a URI that is not a domain name."""
        name = der.tlv(0x82, b"excluded.invalid")
        uri = der.tlv(0x86, b"https://excluded.invalid/")
        if self.not_empty:
            yield _excluding("empty", "The excluded subtrees are an empty list.")
        if self.no_distances:
            minimum, maximum = der.tlv(0x80, b"\x01"), der.tlv(0x81, b"\x02")
            yield _excluding("minimum", "A name constraint has a minimum.", name, minimum)
            yield _excluding("maximum", "A name constraint has a maximum.", name, maximum)
        if self.syntax:
            yield _excluding("syntax", "A name constraint for URIs is a URI, not a domain.", uri)


def _excluding(variant: str, says: str, *subtree: bytes) -> Violation:
    value = der.sequence(der.tlv(0xA1, der.sequence(*subtree) if subtree else b""))
    change = partial(put, oid=oids.NAME_CONSTRAINTS, value=value, critical=True)
    return Violation(variant, says, change)
