"""Key usage (RFC 5280, 4.2.1.3): required, excluded and exact bits, also by the family of the key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from pkigen.asn1 import der, oids
from pkigen.asn1.der import named_bits
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import drop_path_length
from pkigen.documents.fields import OMIT, Omit, OrNone, Parsed, unknown
from pkigen.keys.kinds import parse_kind
from pkigen.model import Extension
from pkigen.requirements.criticality import in_words, is_critical, other_criticality
from pkigen.requirements.demand import Demand, Stage, Violation, demand
from pkigen.requirements.demands.extended_key_usage import with_purposes
from pkigen.requirements.demands.public_key import Family
from pkigen.requirements.outcome import Outcome, failed, not_applicable, passed
from pkigen.requirements.subject import CheckInput
from pkigen.x509 import Certificate
from pkigen.x509.extensions import key_usage
from pkigen.x509.public_key import FAMILIES

_CONSISTENT = {
    "serverAuth": ("digitalSignature", "keyEncipherment", "keyAgreement"),
    "clientAuth": ("digitalSignature", "keyAgreement"),
    "codeSigning": ("digitalSignature",),
    "emailProtection": ("digitalSignature", "nonRepudiation", "keyEncipherment", "keyAgreement"),
    "timeStamping": ("digitalSignature", "nonRepudiation"),
    "OCSPSigning": ("digitalSignature", "nonRepudiation"),
}
"""Purpose -> key usage bits that are consistent with it (RFC 5280, 4.2.1.12)."""
_OF_AUTHORITIES = ("keyCertSign", "cRLSign")

_OTHER = "other"
_ADDED = (
    *("digitalSignature", "nonRepudiation", "keyAgreement", "keyEncipherment", "dataEncipherment"),
    *("cRLSign", "keyCertSign", "encipherOnly", "decipherOnly"),
)
"""The bits that negative cases add, in the order of preference."""


def _parse_usage(text: str) -> str:
    if text not in oids.KEY_USAGES:
        raise ValueError(unknown("key usage", text, oids.KEY_USAGES))
    return str(text)


def _parse_family(text: str) -> str:
    if text not in (*FAMILIES, _OTHER):
        raise ValueError(unknown("family of keys", text, (*FAMILIES, _OTHER)))
    return str(text)


@dataclass(frozen=True)
class _ByFamily:
    """Annotation of a mapping from families of keys; a list applies to keys of every family."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def in_mapping(value: Any) -> Any:
            return value if isinstance(value, dict) else {_OTHER: value}

        return core_schema.no_info_before_validator_function(in_mapping, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        mapping = handler(schema)
        return {"anyOf": [mapping["additionalProperties"], mapping]}


Usage = Annotated[str, Parsed(_parse_usage, "digitalSignature, keyCertSign ...")]
Usages = Annotated[tuple[Usage, ...], Field(min_length=1)]
UsagesOrNone = Annotated[tuple[Usage, ...] | Omit | None, OrNone()]
Of = Annotated[str, Parsed(_parse_family, "rsa, ec, ed25519, ed448, ml-dsa or other")]


@demand
class KeyUsageDemand(Demand):
    """Key usage: present, with or without certain bits, with exactly these bits, critical or not.

    ``families``: the demand applies only to keys of these families. ``exactly``: the bits; ``one_of``: one of
    several sets of bits, or none for no extension; ``exactly_one_of``: one of these bits, and any others;
    ``only``: no other bits. These four are lists, or mappings from a family of keys, or ``other``, to a list.
    ``allowed`` is the same as ``only`` in a mapping. ``consistent``: each bit is consistent with one of the
    purposes of the extended key usage (4.2.1.12), unless the certificate is a CA certificate.
    """

    kind: ClassVar[str] = "key_usage"
    field: ClassVar[str | None] = oids.KEY_USAGE
    blame: ClassVar[tuple[str, ...]] = ("key_usage",)

    families: tuple[Family, ...] = ()
    required: bool = False
    contains: tuple[Usage, ...] = ()
    lacks: tuple[Usage, ...] = ()
    exactly: Annotated[dict[Of, Usages], _ByFamily()] = Field(default_factory=dict)
    one_of: Annotated[dict[Of, tuple[UsagesOrNone, ...]], _ByFamily()] = Field(default_factory=dict)
    exactly_one_of: Annotated[dict[Of, Usages], _ByFamily()] = Field(default_factory=dict)
    only: Annotated[dict[Of, Usages], _ByFamily()] = Field(default_factory=dict)
    some: bool = False
    critical: bool | None = None
    allowed: dict[Family, tuple[Usage, ...]] = Field(default_factory=dict)
    consistent: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> KeyUsageDemand:
        mappings = (self.exactly, self.one_of, self.exactly_one_of, self.only)
        named = {family for mapping in mappings for family in mapping if family != _OTHER}
        if self.families and (surplus := sorted(named - set(self.families))):
            raise ValueError(f"'families' excludes the family {', '.join(surplus)}")
        if both := [usage for usage in self.contains if usage in self.lacks]:
            raise ValueError(f"{', '.join(both)} cannot be in 'contains' and in 'lacks'")
        for family in (*named, _OTHER):
            if _of(self.exactly, family) and _of(self.one_of, family):
                raise ValueError("'exactly' and 'one_of' exclude each other")
            if len(_of(self.exactly_one_of, family) or ("", "")) < 2:
                raise ValueError("'exactly_one_of' needs at least two bits")
            for usages in self._sets(family):
                if not usages:
                    raise ValueError("a set of 'one_of' has at least one bit; 'none' means no extension")
                if problem := self._bit_problem(usages, family):
                    raise ValueError(f"the set {', '.join(usages)} contradicts the other fields: {problem}")
            only = _of(self.only, family) or oids.KEY_USAGES
            if excess := [usage for usage in self.contains if usage not in only]:
                raise ValueError(f"'contains' has {', '.join(excess)}, but 'only' does not")
            if self.required and OMIT in (_of(self.one_of, family) or ()):
                raise ValueError("'required' excludes 'none' in 'one_of'")
        return self

    def _sets(self, family: str) -> list[tuple[str, ...]]:
        """Return the sets of bits of which the key usage of a key has one; empty if any set is permitted."""
        exact = _of(self.exactly, family)
        sets = (exact,) if exact else (_of(self.one_of, family) or ())
        return [usages for usages in sets if isinstance(usages, tuple)]

    def _requires_extension(self, family: str) -> bool:
        permits_none = OMIT in (_of(self.one_of, family) or ())
        return self.required or (
            bool(self._sets(family) or _of(self.exactly_one_of, family)) and not permits_none
        )

    def check_certificate(self, certificate: Certificate, subject: CheckInput) -> Outcome:
        """Check presence first; a missing extension violates only the fields that require it."""
        extensions = certificate.extensions
        usages = extensions.key_usage
        family = certificate.public_key.family if self._depends_on_key else _OTHER
        if self.families and family not in self.families:
            return not_applicable(f"the key is {family}")
        if usages is None and OMIT in (_of(self.one_of, family) or ()):
            return passed("no key usage")
        if usages is None:
            missing = failed("no key usage", " or ".join(map(_listed, self._sets(family))) or "one")
            return missing if self._requires_extension(family) else not_applicable("there is no key usage")
        text = _listed(usages)
        if self.critical is not None and is_critical(extensions, oids.KEY_USAGE) is not self.critical:
            return failed(in_words(not self.critical), in_words(self.critical))
        if self.some and not usages:
            return failed(text, "at least one bit")
        sets = self._sets(family)
        if (sets or _of(self.one_of, family)) and set(usages) not in map(set, sets):
            return failed(text, f"exactly {' or '.join(map(_listed, sets)) or 'no key usage'}")
        if problem := self._bit_problem(usages, family):
            return failed(text, problem)
        if self.consistent and (excess := _inconsistent(certificate, usages)):
            purposes = ", ".join(extensions.extended_key_usage or ())
            return failed(text, f"no {', '.join(excess)}, which no purpose of {purposes} uses")
        return passed(text, self._expected)

    @property
    def _expected(self) -> str:
        return ", ".join([*self.contains, *(f"no {usage}" for usage in self.lacks)])

    @property
    def _depends_on_key(self) -> bool:
        mappings = (self.exactly, self.one_of, self.exactly_one_of, self.only, self.allowed)
        return bool(self.families) or any(set(mapping) - {_OTHER} for mapping in mappings)

    def _bit_problem(self, usages: tuple[str, ...], family: str) -> str:
        """Return what the fields on single bits expect, if the bits deviate."""
        permitted = self.allowed.get(family) or _of(self.only, family) or oids.KEY_USAGES
        if excess := [usage for usage in usages if usage not in permitted]:
            return f"no {', '.join(excess)}{' for this kind of key' if self._depends_on_key else ''}"
        alternatives = _of(self.exactly_one_of, family) or ()
        if alternatives and len(set(alternatives).intersection(usages)) != 1:
            return f"exactly one of {', '.join(alternatives)}"
        deviates = not set(self.contains) <= set(usages) or not set(self.lacks).isdisjoint(usages)
        return self._expected if deviates else ""

    def violations(self) -> Iterator[Violation]:
        """Yield each variant once: several fields can have the same violation."""
        yield from {violation.variant: violation for violation in self._violations()}.values()

    def _violations(self) -> Iterator[Violation]:
        """Missing, without a bit, with an extra bit, with other bits, with the other criticality."""
        oid = oids.KEY_USAGE
        families = {*self.exactly, *self.one_of, *self.exactly_one_of, _OTHER}
        if any(map(self._requires_extension, families)):
            yield self._violation("missing", "The certificate has no key usage.", self._missing)
        exact = dict.fromkeys(usage for usages in self.exactly.values() for usage in usages)
        for usage in dict.fromkeys((*self.contains, *exact)):
            words = f"The key usage does not include {usage}."
            # RFC 5280, 6.3.3 (f): a CRL of a CA without cRLSign is invalid.
            stage: Stage = "revocation" if usage == "cRLSign" else None
            yield self._violation(f"no-{usage.lower()}", words, partial(self._lacking, usage), stage)
        for usage in self.lacks:
            words = f"The key usage includes {usage}."
            yield self._violation(usage.lower(), words, _with_usages(partial(_also, usage)))
        if self.some:
            says = "The key usage has no bit set."
            yield self._violation("none", says, _with_usages(lambda _usages: set()))
        if self.exactly or self.one_of:
            says = "The key usage has a further bit, which the permitted sets do not have."
            yield self._violation("further", says, self._with_another_set(_further))
        if self.one_of:
            says = "The key usage lacks a bit of the permitted sets."
            yield self._violation("fewer", says, self._with_another_set(_fewer))
        if self.exactly_one_of:
            yield self._violation("none-of", "The key usage has none of the alternative bits.", self._none_of)
            yield self._violation("two-of", "The key usage has two of the alternative bits.", self._two_of)
        if self.allowed or self.only:
            says = "The key usage has a bit that does not suit the kind of key."
            yield self._violation("not-allowed", says, self._with_excess)
        if self.consistent:
            says = "The key usage has dataEncipherment, which no purpose of the extended key usage uses."
            yield self._violation("inconsistent", says, _with_inconsistent_usage)
        if self.critical is not None:
            one = other_criticality(oid, "key usage", self.critical)
            yield self._violation(one.variant, one.says, one.apply)

    def _violation(
        self, variant: str, says: str, change: Callable[[Case], Case], stage: Stage = None
    ) -> Violation:
        """Return a violation that only certificates with keys of ``families`` can have."""

        def apply(case: Case) -> Case:
            if self.families and _family_of(case) not in self.families:
                raise Impossible(f"the requirement does not apply to {_family_of(case)} keys")
            return change(case)

        return Violation(variant, says, apply, stage)

    def _missing(self, case: Case) -> Case:
        if not self._requires_extension(_family_of(case)):
            raise Impossible("the requirement permits certificates without a key usage for this kind of key")
        return case.without_extension(oids.KEY_USAGE)

    def _lacking(self, usage: str, case: Case) -> Case:
        if usage not in (*self.contains, *(_of(self.exactly, _family_of(case)) or ())):
            raise Impossible(f"{usage} is not required for this kind of key")
        return _without_usage(usage, case)

    def _with_another_set(self, others: Callable[[set[str]], Iterable[set[str]]]) -> Callable[[Case], Case]:
        def apply(case: Case) -> Case:
            sets = [set(usages) for usages in self._sets(_family_of(case))]
            if not sets:
                raise Impossible("the requirement does not determine the bits for this kind of key")

            def change(usages: set[str]) -> set[str]:
                candidates = (one for one in others(usages or sets[0]) if one and one not in sets)
                if (other := next(candidates, None)) is None:
                    raise Impossible("each other set of bits is permitted, too")
                return other

            return _with_usages(change)(case)

        return apply

    def _none_of(self, case: Case) -> Case:
        alternatives = self._alternatives(case)
        harmless = next((usage for usage in _ADDED if usage not in alternatives), "")
        return _with_usages(lambda usages: usages - alternatives or {harmless} - {""})(case)

    def _two_of(self, case: Case) -> Case:
        alternatives = [usage for usage in _ADDED if usage in self._alternatives(case)]
        return _with_usages(lambda usages: usages.union(alternatives[:2]))(case)

    def _alternatives(self, case: Case) -> set[str]:
        alternatives = _of(self.exactly_one_of, _family_of(case))
        if not alternatives:
            raise Impossible("the requirement has no alternative bits for this kind of key")
        return set(alternatives)

    def _with_excess(self, case: Case) -> Case:
        family = _family_of(case)
        permitted = self.allowed.get(family) or _of(self.only, family) or oids.KEY_USAGES
        excess = [usage for usage in oids.KEY_USAGES if usage not in permitted]
        if not excess:
            raise Impossible("every key usage bit is allowed for this kind of key")
        return _with_usages(partial(_also, excess[-1]))(case)


def _of(mapping: dict[str, Any], family: str) -> Any:
    """Return the value for a family of keys, or that for other families, or None."""
    return mapping.get(family, mapping.get(_OTHER))


def _family_of(case: Case) -> str:
    return parse_kind(case.entity.key).family


def _listed(usages: Iterable[str]) -> str:
    return ", ".join(usages) or "no bit"


def _further(usages: set[str]) -> Iterator[set[str]]:
    yield from (usages | {usage} for usage in _ADDED if usage not in usages)


def _fewer(usages: set[str]) -> Iterator[set[str]]:
    yield from (usages - {usage} for usage in _ADDED if usage in usages)


def _inconsistent(certificate: Certificate, usages: tuple[str, ...]) -> list[str]:
    """Return the key usage bits that are consistent with none of the purposes."""
    purposes = certificate.extensions.extended_key_usage
    if not purposes or certificate.is_authority or not all(purpose in _CONSISTENT for purpose in purposes):
        return []
    consistent = {usage for purpose in purposes for usage in _CONSISTENT[purpose]}
    return [usage for usage in usages if usage not in (*consistent, *_OF_AUTHORITIES)]


def _with_inconsistent_usage(case: Case) -> Case:
    if case.extension(oids.EXTENDED_KEY_USAGE) is None:
        case = with_purposes(("serverAuth",), case)
    return _with_usages(partial(_also, "dataEncipherment"))(case)


def _with_usages(change: Callable[[set[str]], set[str]]) -> Callable[[Case], Case]:
    """Return a change of the key usage bits; the change adds the extension if there is none."""

    def apply(case: Case) -> Case:
        extension = case.extension(oids.KEY_USAGE)
        value = extension.value if extension is not None else None
        if not isinstance(value, bytes):
            value = der.bit_string(b"")
        bits = named_bits(change(set(key_usage(value))), oids.KEY_USAGES)
        return case.with_extension(Extension(oids.KEY_USAGE, extension is None or extension.critical, bits))

    return apply


def _without_usage(usage: str, case: Case) -> Case:
    case = _with_usages(partial(_without, usage))(case)
    return drop_path_length(case) if usage == "keyCertSign" else case


def _without(usage: str, usages: set[str]) -> set[str]:
    """Return the other bits, or one harmless bit: a key usage without bits would be another fault."""
    return usages - {usage} or {"keyAgreement" if usage != "keyAgreement" else "nonRepudiation"}


def _also(usage: str, usages: set[str]) -> set[str]:
    return usages | {usage}
