"""Name constraints and policy constraints of CAs (RFC 5280, 4.2.1.10 and 4.2.1.11)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from ipaddress import ip_network
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import SAMPLES, leave_out, put, set_critical, value_of
from pkigen.documents.fields import Parsed
from pkigen.requirements.demand import Demand, Violation, demand
from pkigen.requirements.name_syntax import is_constraint
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate, GeneralName
from pkigen.x509.extensions import name_constraints


def _parse_subtree(text: str) -> str:
    kind, colon, base = text.partition(":")
    if not colon or kind not in ("dns", "email", "uri", "ip", "dirname", "upn") or not base:
        raise ValueError(f"'{text}' is not a subtree, such as dns:example.test or ip:10.0.0.0/8")
    return f"{kind}:{ip_network(base)}" if kind == "ip" else text


Subtree = Annotated[str, Parsed(_parse_subtree, "dns:example.test, ip:10.0.0.0/8 ...")]
_CRITICALITY = {True: "critical", False: "not critical"}


@demand
class NameConstraints(Demand):
    """The subtrees of the name constraints.

    ``no_distances``: minimum is 0 and maximum is absent. ``syntax``: a constraint of a URI or DNS name is a
    domain name, of an IP address an address with a mask. ``not_empty``: each list has a subtree.
    ``permitted`` and ``excluded`` are subtrees that the lists contain.
    """

    kind: ClassVar[str] = "name_constraints"
    field: ClassVar[str | None] = oids.NAME_CONSTRAINTS
    blame: ClassVar[tuple[str, ...]] = ("name_constraints",)

    required: bool = False
    forbidden: bool = False
    critical: bool | None = None
    permitted: tuple[Subtree, ...] = ()
    excluded: tuple[Subtree, ...] = ()
    no_distances: bool = False
    syntax: bool = False
    not_empty: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> NameConstraints:
        _check_presence(self, self.permitted or self.excluded)
        if both := {*self.permitted} & {*self.excluded}:
            raise ValueError(f"{min(both)} cannot be permitted and excluded")
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check each subtree."""
        constraints = certificate.extensions.name_constraints
        if outcome := _presence(self, certificate, oids.NAME_CONSTRAINTS, "name constraints"):
            return outcome
        assert constraints is not None
        subtrees = [subtree for _, part in constraints for subtree in part]
        if self.not_empty and not (constraints and all(part for _, part in constraints)):
            return failed("an empty list", "a permitted or excluded subtree")
        text = ", ".join(str(subtree.base) for subtree in subtrees) or "no subtree"
        if self.no_distances and (bounded := [one for one in subtrees if one.minimum or one.has_maximum]):
            return failed(f"{bounded[0].base} with minimum or maximum", "no minimum and no maximum")
        if self.syntax and (invalid := [one for one in subtrees if not is_constraint(one.base)]):
            return failed(str(invalid[0].base), "domain names, and addresses with a mask")
        for kind, expected in (("permitted", self.permitted), ("excluded", self.excluded)):
            listed = {_text(one.base) for name, part in constraints if name == kind for one in part}
            if lacking := [one for one in expected if one.lower() not in listed]:
                return failed(text, f"{', '.join(lacking)} {kind}")
        return passed(text)

    def violations(self) -> Iterator[Violation]:
        """Missing, present, the wrong criticality, without a subtree, empty, with a minimum, invalid."""
        name = der.tlv(0x82, b"excluded.invalid")
        uri = der.tlv(0x86, b"https://excluded.invalid/")
        yield from _violations_of_presence(self, oids.NAME_CONSTRAINTS, "name constraints")
        for kind, subtrees in (("permitted", self.permitted), ("excluded", self.excluded)):
            for number, subtree in enumerate(subtrees, 1):
                says = f"The name constraints do not have the subtree {subtree} {kind}."
                change = partial(_without_subtree, kind, subtree)
                yield Violation(f"{kind}-{number}", says, change)
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


def _without_subtree(kind: str, subtree: str, case: Case) -> Case:
    """Remove a subtree from a list; a list of a case must not become empty."""
    value, lists = value_of(case, oids.NAME_CONSTRAINTS), list[bytes]()
    for element in der.children(value):
        own = element[0] == (0xA0 if kind == "permitted" else 0xA1)
        parts = [one for one in der.children(element) if not own or _text_of_subtree(one) != subtree.lower()]
        lists += [der.tlv(element[0], *parts)] if parts else []
    if der.sequence(*lists) == value:
        raise Impossible(f"the certificate does not have the subtree {subtree}")
    other = der.tlv(0xA1, der.sequence(der.tlv(0x82, b"excluded.invalid")))
    extension = case.extension(oids.NAME_CONSTRAINTS)
    assert extension is not None
    changed = der.sequence(*(lists or [other]))
    return put(case, oids.NAME_CONSTRAINTS, changed, critical=extension.critical)


def _text_of_subtree(subtree: bytes) -> str:
    ((_, (only,)),) = name_constraints(der.sequence(der.tlv(0xA0, subtree)))
    return _text(only.base)


def _text(base: GeneralName) -> str:
    """Return a subtree as a set names it: an address with the length of its prefix."""
    if base.kind == "ip":
        with suppress(ValueError):
            return f"ip:{ip_network(base.value)}"
    return str(base).lower()


@demand
class PolicyConstraintsDemand(Demand):
    """The policy constraints: present or not, critical or not, and their numbers of certificates."""

    kind: ClassVar[str] = "policy_constraints"
    field: ClassVar[str | None] = oids.POLICY_CONSTRAINTS
    blame: ClassVar[tuple[str, ...]] = ("policy_constraints",)

    required: bool = False
    forbidden: bool = False
    critical: bool | None = None
    require_explicit_policy: Annotated[int, Field(ge=0, le=1000)] | None = None
    inhibit_policy_mapping: Annotated[int, Field(ge=0, le=1000)] | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> PolicyConstraintsDemand:
        values = (self.require_explicit_policy, self.inhibit_policy_mapping)
        _check_presence(self, any(value is not None for value in values))
        return self

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence and criticality, then both numbers."""
        constraints = certificate.extensions.policy_constraints
        if outcome := _presence(self, certificate, oids.POLICY_CONSTRAINTS, "policy constraints"):
            return outcome
        assert constraints is not None
        for name in ("require_explicit_policy", "inhibit_policy_mapping"):
            value, expected = getattr(constraints, name), getattr(self, name)
            if expected is not None and value != expected:
                return failed(f"no {name}" if value is None else f"{name} {value}", f"{name} {expected}")
        return passed(str(constraints.require_explicit_policy))

    def violations(self) -> Iterator[Violation]:
        """Missing, present, the wrong criticality, another number."""
        yield from _violations_of_presence(self, oids.POLICY_CONSTRAINTS, "policy constraints")
        numbers = (self.require_explicit_policy, self.inhibit_policy_mapping)
        for index, variant in enumerate(("explicit", "mapping")):
            value = numbers[index]
            if value is not None:
                changed = [value + 1 if at == index else one for at, one in enumerate(numbers)]
                says = f"A number of the policy constraints is {value + 1} instead of {value}."
                yield Violation(variant, says, partial(_with_numbers, changed, bool(self.critical)))


def _with_numbers(numbers: list[int | None], critical: bool, case: Case) -> Case:
    parts = (
        der.tlv(0x80 + at, der.contents(der.integer(one)))
        for at, one in enumerate(numbers)
        if one is not None
    )
    return put(case, oids.POLICY_CONSTRAINTS, der.sequence(*parts), critical=critical)


Constraints = NameConstraints | PolicyConstraintsDemand


def _check_presence(demand: Constraints, has_values: object) -> None:
    """Raise ValueError for a demand without a condition, and for one that forbids what it requires."""
    if not demand.model_fields_set:
        fields = ", ".join(type(demand).model_fields)
        raise ValueError(f"no condition given; set at least one of {fields}")
    if demand.forbidden and (demand.required or has_values or demand.critical is not None):
        raise ValueError("'forbidden' excludes every other condition")


def _presence(demand: Constraints, certificate: Certificate, oid: str, title: str) -> Outcome | None:
    """Return the outcome of a missing or forbidden extension, or of the wrong criticality."""
    extension = certificate.extensions.raw(oid)
    if extension is None:
        if demand.required:
            return failed(f"no {title}", title)
        return passed(f"no {title}") if demand.forbidden else not_applicable(f"there are no {title}")
    if demand.forbidden:
        return failed(title, f"no {title}")
    if demand.critical is not None and extension.critical is not demand.critical:
        return failed(_CRITICALITY[extension.critical], _CRITICALITY[demand.critical])
    return None


def _violations_of_presence(demand: Constraints, oid: str, title: str) -> Iterator[Violation]:
    if demand.required:
        yield Violation("missing", f"The certificate has no {title}.", partial(leave_out, oid=oid))
    if demand.forbidden:
        change = partial(put, oid=oid, value=SAMPLES[oid], critical=True)
        yield Violation("present", f"The certificate has {title}.", change)
    if demand.critical is not None:
        says = f"The {title} are {_CRITICALITY[not demand.critical]}."
        change = partial(set_critical, oid=oid, critical=not demand.critical)
        yield Violation("criticality", says, change)
