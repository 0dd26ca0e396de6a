"""The broken copies of a certificate: one for each way to break each demand of a requirement set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from pkigen import der, oids
from pkigen.faults import AskedFault, Case, Impossible, composed
from pkigen.faults.case import common_name, shortened, with_attribute
from pkigen.keys.capabilities import refusal
from pkigen.keys.kinds import parse_kind
from pkigen.model import CertificatePlan, Entity, Extension, Fault, Role
from pkigen.plan.digest import digest
from pkigen.requirements import CatalogueEntry, Requirement, RequirementSet, Violation, catalogue

_GRAVITY = ("R", "V", "P", "A")
_EXPECTED = {"R": "reject", "V": "varies", "P": "accept", "A": "accept"}
_LONGEST_LABEL, _LONGEST_COMMON_NAME, _LONGEST_NAME = 63, 64, 100


@dataclass(frozen=True)
class NegativeCase:
    """A case with its fault in it, the authorities that are its own, and its twin if it has one."""

    entity: Entity
    copies: tuple[Entity, ...]
    twins: tuple[Entity, ...] = ()


@dataclass(frozen=True)
class Passed:
    """A violation that the base cannot have, and why."""

    name: str
    reason: str


def negatives(
    base: Case,
    against: RequirementSet,
    prefix: str,
    text: str,
    serial: Callable[[str, str], int],
) -> Iterator[NegativeCase | Passed]:
    """All cases of one base, each called by its fault after a prefix.

    ``text`` is the validity that the profile says, for the digests; ``serial`` draws a number for
    (issuer, owner). Of several sets for one base, all but the first have their names as prefixes.
    """
    for entry in catalogue([against]):
        try:
            yield _negative(base, entry, prefix + entry.id, text, serial)
        except Impossible as error:
            yield Passed(f"{base.entity.name}.{prefix}{entry.id}", str(error))


def _negative(
    base: Case, entry: CatalogueEntry, name: str, text: str, serial: Callable[[str, str], int]
) -> NegativeCase:
    case = _broken(entry.requirement, entry.violation, named_after(base, name, serial))
    _check_signature(case)
    fault = Fault(
        id=name,
        base=base.entity.name,
        says=entry.violation.says,
        against=entry.set.name,
        violates=_violated(entry, base),
        accepted=entry.accepted,
        messages=entry.messages,
        stage=entry.stage,
        expected="reject" if entry.stage else "accept",
        clause=entry.requirement.section,
    )
    return _as_planned(case, fault, f"{text} {entry.set.name} {name}", serial)


def negatives_of_faults(
    base: Case, faults: Iterable[AskedFault], text: str, serial: Callable[[str, str], int]
) -> Iterator[NegativeCase | Passed]:
    """A case for each fault of the catalogue."""
    for one in faults:
        try:
            yield with_faults(named_after(base, one.type.id, serial), (one,), text, serial)
        except Impossible as error:
            yield Passed(f"{base.entity.name}.{one.type.id}", str(error))


def with_faults(
    case: Case, faults: tuple[AskedFault, ...], text: str, serial: Callable[[str, str], int]
) -> NegativeCase:
    """A case with faults of the catalogue in it; Impossible when it cannot have one, or not together."""
    case = composed(case, faults)
    _check_signature(case)
    types = [one.type for one in faults]
    worst = min(types, key=lambda one: _GRAVITY.index(one.verdict))
    fault = Fault(
        id="+".join(one.id for one in types),
        base=case.base.name,
        says=" ".join(one.says for one in types),
        shows=" ".join(" ".join(one.shows.split()) for one in types),
        stage=worst.stage,
        expected=_EXPECTED[worst.verdict],
        verdict=worst.verdict,
        clause="; ".join(dict.fromkeys(one.clause for one in types)),
    )
    asked = f"{text} {'+'.join(one.text for one in faults)}"
    return _as_planned(case, fault, asked, serial)


def _as_planned(case: Case, fault: Fault, asked: str, serial: Callable[[str, str], int]) -> NegativeCase:
    copies = tuple(
        _finished(entity, fault, asked, serial) for entity in case.authorities if entity.name in case.copies
    )
    twins: tuple[Entity, ...] = ()
    if case.twin is not None:
        twin = replace(fault, id=f"{fault.id}.twin")
        twins = (_finished(case.twin, twin, asked, None if case.same_serial else serial),)
    return NegativeCase(_finished(case.entity, fault, asked, None), copies, twins)


def _violated(entry: CatalogueEntry, base: Case) -> tuple[str, ...]:
    """What a case breaks: a self-signed certificate has no path that could be broken besides."""
    if base.authorities:
        return entry.violates
    kept = (one for one in entry.besides if entry.set[one].kind != "certification_path")
    return (entry.requirement.id, *kept)


def _check_signature(case: Case) -> None:
    """Refuse what the issuer's key cannot sign."""
    issuer = case.authorities[0] if case.authorities else case.entity
    words = refusal(parse_kind(issuer.key), case.plan.signature)
    if words is not None:
        raise Impossible(words)


def _broken(requirement: Requirement, violation: Violation, case: Case) -> Case:
    """The violation in the certificate, or in the issuing CA's that the case then has for its own."""
    if requirement.of == "certificate":
        return violation.apply(case)

    def change(authority: Entity) -> Entity:
        above = tuple(entity for entity in case.authorities if entity.id in authority.issuers)
        return violation.apply(Case(authority, above, case.clock, authority)).entity

    return case.change_authority(0, change)


def _finished(entity: Entity, fault: Fault, asked: str, serial: Callable[[str, str], int] | None) -> Entity:
    """The digest of what is asked for; a copied authority's own serial number."""
    plans, crl = list[CertificatePlan](), entity.crl
    for plan in entity.certificates:
        number = plan.serial if serial is None else serial(plan.issuer_id, entity.id)
        # Not what edits write: times in it would follow the clock.
        edits = [(edit.path, edit.surgery.value) for edit in (*plan.edits, *(crl.edits if crl else ()))]
        changes = f"{asked} {edits} {entity.output.alterations!r}"
        spec = digest(plan.subject, plan.issuer, plan.signature, changes, plan.extensions)
        plans.append(replace(plan, serial=number, spec=spec))
    return replace(entity, certificates=tuple(plans), fault=fault)


def named_after(base: Case, fault: str, serial: Callable[[str, str], int]) -> Case:
    """A case under its own name, with a host name of its own: clients choose between cases by it."""
    name = shortened(f"{base.entity.name}.{fault}", _LONGEST_NAME)
    plan = base.plan
    own_id = f"{Role.CERTIFICATE}/{name}"
    self_signed = plan.issuer_id == base.entity.id
    issuer_id = own_id if self_signed else plan.issuer_id
    held = common_name(plan.subject)
    host = _host(held, fault.replace(".", "-")) if held else None
    subject = with_attribute(plan.subject, "CN", host) if host else plan.subject
    extensions = plan.extensions
    if held and host:
        extensions = tuple(_with_host(found, held, host) for found in extensions)
    changed = replace(
        plan,
        issuer_id=issuer_id,
        subject=subject,
        issuer=subject if self_signed else plan.issuer,
        serial=serial(issuer_id, own_id),
        extensions=extensions,
    )
    output = base.entity.output
    alias = name if output.alias == base.entity.name else output.alias
    entity = replace(
        base.entity,
        name=name,
        certificates=(changed,),
        output=replace(output, alias=alias),
        hosts=tuple(host if one == held and host else one for one in base.entity.hosts),
        revocation=None,
        key_of=f"cases of {base.entity.name}",
    )
    return replace(base, entity=entity)


def _host(common_name: str, fault: str) -> str:
    """The fault as a label in front of the name; after a wildcard, since that comes first."""
    wildcard, rest = ("*.", common_name[2:]) if common_name.startswith("*.") else ("", common_name)
    room = min(_LONGEST_LABEL, _LONGEST_COMMON_NAME - len(rest) - len(wildcard) - 1)
    if room < 10:
        return shortened(f"{fault} {common_name}", _LONGEST_COMMON_NAME)
    return f"{wildcard}{shortened(fault, room)}.{rest}"


def _with_host(extension: Extension, former: str, host: str) -> Extension:
    """The alternative names with the case's own host name in the place of its base's."""
    if extension.oid != oids.SUBJECT_ALTERNATIVE_NAME or not isinstance(extension.value, bytes):
        return extension
    names = (
        der.tlv(0x82, host.encode()) if found == der.tlv(0x82, former.encode()) else found
        for found in der.children(extension.value)
    )
    return replace(extension, value=der.sequence(*names))
