"""Derives negative cases from requirement sets, and gives each case its own host name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address

from pkigen.asn1 import der, oids
from pkigen.cases.case import common_name, shortened, with_attribute
from pkigen.faults import Case, FaultRequest, Impossible, composed
from pkigen.keys.kinds import parse_kind, refusal
from pkigen.model import SHARED_KEY, CertificatePlan, Entity, Extension, Fault, Role
from pkigen.plan.client_verdicts import ClientVerdicts
from pkigen.plan.digest import digest
from pkigen.plan.placeholder import planned
from pkigen.requirements import (
    CatalogueEntry,
    CheckInput,
    Needs,
    Requirement,
    RequirementSet,
    Status,
    Violation,
    catalogue,
    findings,
)

_LONGEST_LABEL, _LONGEST_COMMON_NAME = 63, 64


def own_host(former: str, case: str) -> str:
    """Return a host name with the case as its first label, or as the second one after a wildcard."""
    label = re.sub("[^a-z0-9-]", "-", case)
    wildcard, rest = ("*.", former[2:]) if former.startswith("*.") else ("", former)
    room = min(_LONGEST_LABEL, _LONGEST_COMMON_NAME - len(rest) - len(wildcard) - 1)
    if room < 10:
        return shortened(f"{label} {former}", _LONGEST_COMMON_NAME)
    return f"{wildcard}{shortened(label, room)}.{rest}"


def under_host(entity: Entity, former: str, host: str) -> Entity:
    """Return an end entity with a host name replaced in its subject, its alternative names and its hosts.

    The issuer of a self-signed certificate follows its subject. Values that a fault changed remain
    unchanged.
    """
    plan = entity.certificates[0]
    subject = plan.subject
    if common_name(subject) == former:
        subject = with_attribute(subject, "CN", host)
    itself = plan.issuer_id == entity.id and plan.issuer == plan.subject
    changed = replace(
        plan,
        subject=subject,
        issuer=subject if itself else plan.issuer,
        extensions=tuple(_naming(extension, former, host) for extension in plan.extensions),
    )
    hosts = tuple(host if one == former else one for one in entity.hosts)
    return replace(entity, certificates=(changed,), hosts=hosts)


def _naming(extension: Extension, former: str, host: str) -> Extension:
    if extension.oid != oids.SUBJECT_ALTERNATIVE_NAME or not isinstance(extension.value, bytes):
        return extension
    try:
        names = der.children(extension.value)
    except ValueError:
        return extension
    if der.tlv(0x82, former.encode()) not in names:
        return extension
    renamed = (
        der.tlv(0x82, host.encode()) if encoded == der.tlv(0x82, former.encode()) else encoded
        for encoded in names
    )
    return replace(extension, value=der.sequence(*renamed))


_GRAVITY = ("R", "V", "P", "A")
_EXPECTED = {"R": "reject", "V": "varies", "P": "accept", "A": "accept"}
_LONGEST_NAME = 100


@dataclass(frozen=True)
class NegativeCase:
    """A case with its fault, the authorities copied for it, and its sibling, if any."""

    entity: Entity
    copies: tuple[Entity, ...]
    twins: tuple[Entity, ...] = ()


@dataclass(frozen=True)
class SkippedCase:
    """A negative case that was skipped, and the reason."""

    name: str
    reason: str


def negatives(
    base: Case,
    against: RequirementSet,
    prefix: str,
    text: str,
    serial: Callable[[str, str], int],
    *,
    authority: str = "",
) -> Iterator[NegativeCase | SkippedCase]:
    """Yield all cases of one base, each named after its fault, with a prefix.

    ``text`` is the validity in the profile, for the digests; ``serial`` draws a number for (issuer, owner).
    If a base has several sets, the cases of all sets but the first have the set's name as a prefix.
    ``authority`` is the authority of the path whose copies violate the set; by default the base does.
    """
    level = next((n for n, above in enumerate(base.authorities) if above.name == authority), None)
    renames = level is not None or _can_rename(_checked_part(base, None), against)
    verdicts = ClientVerdicts(base)
    for entry in catalogue([against]):
        try:
            yield _negative(
                base, entry, prefix + entry.id, text, serial, verdicts, renames=renames, level=level
            )
        except Impossible as error:
            yield SkippedCase(f"{base.entity.name}.{prefix}{entry.id}", str(error))


def _checked_part(case: Case, level: int | None) -> Case:
    """Return the part of a case that a set applies to: all of it, or the authority at a level of the path."""
    if level is None:
        return case
    authority = case.authorities[level]
    return Case(authority, case.authorities[level + 1 :], case.clock, authority)


def _can_rename(base: Case, against: RequirementSet) -> bool:
    """Return whether a copy of the base with another host name satisfies the set's requirements on names.

    It does not if a set fixes a name: the common name system:kube-scheduler, for example.
    """
    host = _host_of(base.entity)
    if host is None:
        return True
    return _keeps_name_rules(under_host(base.entity, host, own_host(host, "case")), base, against)


def _keeps_name_rules(renamed: Entity, base: Case, against: RequirementSet) -> bool:
    """Return whether a renamed copy of a case's end entity satisfies the set's requirements on names."""
    data = CheckInput(
        now=base.clock,
        certificate=planned(renamed, base.authorities),
        issued=False,
        authority=against.is_for_authorities,
    )
    return not any(
        finding.failed and {"san", "subject_attribute"}.intersection(finding.requirement.kinds)
        for finding in findings(against, data)
        if finding.requirement.of in ("certificate", "all")
    )


def _negative(
    base: Case,
    entry: CatalogueEntry,
    name: str,
    text: str,
    serial: Callable[[str, str], int],
    verdicts: ClientVerdicts,
    *,
    renames: bool,
    level: int | None,
) -> NegativeCase:
    _check_condition(_checked_part(base, level), entry.requirement)
    copy = replace(named_after(base, name, serial, renames=renames), keeps_names=_fixes_names(entry.set))
    if any("combined_file" in one.kinds for one in entry.set.requirements):
        # The set can require this alias, which is the name of the base by default.
        output = replace(copy.entity.output, alias=base.entity.output.alias)
        copy = replace(copy, entity=replace(copy.entity, output=output))
    case = _broken(entry.requirement, entry.violation, copy, level)
    _check_keys(case)
    stage, expected = verdicts.verdict(case, entry, level)
    fault = Fault(
        id=name,
        base=base.entity.name,
        says=entry.violation.says,
        against=entry.set.name,
        violates=_violated(entry, base),
        accepted=entry.accepted,
        messages=entry.messages,
        stage=stage,
        expected=expected,
        clause=entry.requirement.section,
        file=entry.violation.file,
        sent=entry.violation.sent,
        authority="" if level is None else base.authorities[level].name,
    )
    numbered = level if "serial" in entry.requirement.kinds else None
    return _as_planned(case, fault, text, f"{entry.set.name} {name}", serial, numbered)


def _check_condition(base: Case, requirement: Requirement) -> None:
    """Refuse a requirement that does not apply to the base: to its date of issue, or by its ``if``."""
    if not requirement.applies_at(base.plan.not_before):
        raise Impossible(f"the requirement applies to certificates issued {requirement.period}")
    if requirement.if_ is None or requirement.if_.needs is Needs.ISSUED:
        return
    certificates = [planned(entity, base.authorities) for entity in (base.entity, *base.authorities)]
    data = CheckInput(
        now=base.clock, certificate=certificates[0], planned_chain=tuple(certificates[1:]), issued=False
    )
    outcome = requirement.if_.check(data)
    if outcome.status is not Status.PASS:
        raise Impossible(
            f"the condition of the requirement does not hold: {outcome.reason or outcome.actual}"
        )


def negatives_of_faults(
    base: Case, groups: Iterable[tuple[FaultRequest, ...]], text: str, serial: Callable[[str, str], int]
) -> Iterator[NegativeCase | SkippedCase]:
    """Yield a case for each group of catalog faults; most groups have one."""
    for faults in groups:
        name = "+".join(one.type.id for one in faults)
        try:
            yield with_faults(named_after(base, name, serial), faults, text, serial)
        except Impossible as error:
            yield SkippedCase(f"{base.entity.name}.{name}", str(error))


def with_faults(
    case: Case, faults: tuple[FaultRequest, ...], text: str, serial: Callable[[str, str], int]
) -> NegativeCase:
    """Return a case with catalog faults; raise Impossible for faults that do not apply or that conflict."""
    case = composed(case, faults)
    _check_keys(case)
    types = [one.type for one in faults]
    worst = min(types, key=lambda one: _GRAVITY.index(one.verdict))
    fault = Fault(
        id="+".join(one.id for one in types),
        base=case.base.name,
        says=" ".join(one.says for one in faults),
        shows=" ".join(" ".join(one.shows.split()) for one in types),
        stage=worst.stage,
        expected=_EXPECTED[worst.verdict],
        verdict=worst.verdict,
        clause="; ".join(dict.fromkeys(one.clause for one in types)),
        family=worst.family,
    )
    return _as_planned(case, fault, text, "+".join(one.text for one in faults), serial)


def _as_planned(
    case: Case,
    fault: Fault,
    text: str,
    request: str,
    serial: Callable[[str, str], int],
    numbered: int | None = None,
) -> NegativeCase:
    """Return the entities of a case, with their digests; ``text`` and ``request`` come from the profile.

    Copied authorities get new serial numbers, except at the level ``numbered``: its number is the fault.
    """
    fixed = None if numbered is None else case.authorities[numbered]
    copies = tuple(
        _finished(entity, fault, text, request, None if entity is fixed else serial)
        for entity in case.copied()
    )
    twins: tuple[Entity, ...] = ()
    if case.sibling is not None:
        sibling = _beside(case, case.sibling, fault.id)
        twins = (_finished(sibling, fault, text, request, None if case.same_serial else serial),)
    entity = _with_certificates_as_profiled(case.entity, case.authorities)
    return NegativeCase(_finished(entity, fault, text, request, None), copies, twins)


def _with_certificates_as_profiled(entity: Entity, authorities: Sequence[Entity]) -> Entity:
    """Return a case whose OCSP response contains the CA's certificate unless the profile omits it."""
    responding = authorities[0].responding if authorities else None
    if entity.ocsp is None or responding is None:
        return entity
    return replace(entity, ocsp=replace(entity.ocsp, certificates=responding.certificates))


def _violated(entry: CatalogueEntry, base: Case) -> tuple[str, ...]:
    """Return the requirements that a case violates; a self-signed certificate has no path to violate."""
    if base.authorities:
        return entry.violates
    others = (one for one in entry.besides if "certification_path" not in entry.set[one].kinds)
    return (entry.requirement.id, *others)


def _check_keys(case: Case) -> None:
    """Refuse what needs a private key that is not here, and signatures that an issuer's key cannot create."""
    given = case.entity.given
    if given is not None and given.pkcs8 is None:
        if case.plan.issuer_id == case.entity.id and not case.plan.rogue_key:
            raise Impossible("its private key is on the device that made the request, so it cannot sign")
        if any(alteration.file in ("key", "pkcs12") for alteration in case.entity.output.alterations):
            raise Impossible("its private key is on the device that made the request, so it has no key file")
    path = {entity.id: entity for entity in (case.entity, *case.authorities)}
    for entity in path.values():
        if entity is not case.entity and entity.name not in case.copies:
            continue
        for plan in entity.certificates:
            issuer = path.get(plan.issuer_id)
            words = refusal(parse_kind(issuer.key), plan.signature) if issuer else None
            if words is not None:
                raise Impossible(words)


def _fixes_names(against: RequirementSet) -> bool:
    """Return whether a set has requirements on the subjects of CAs, which a copied CA must satisfy, too."""
    return any(
        "subject_attribute" in one.kinds
        for one in against.requirements
        if one.of != "certificate" or against.is_for_authorities
    )


def _broken(requirement: Requirement, violation: Violation, case: Case, level: int | None) -> Case:
    """Apply a violation to the certificate, to the CA at a level of the path, or to its issuing CA."""
    if requirement.of in ("certificate", "all") and level is None:
        return violation.apply(case)
    if violation.file:
        raise Impossible("a build reads the files of its authorities, so that a case does not change them")

    at = (level or 0) + (requirement.of == "issuing-authority" and level is not None)
    if at < len(case.authorities):
        # A change that needs copies of the CAs above, such as for a serial number that exists only once.
        copied = violation.apply(_checked_part(case, at)).copies
        if copied:
            case = case.change_authority(at + len(copied), lambda entity: entity)

    def change(authority: Entity) -> Entity:
        above = tuple(entity for entity in case.authorities if entity.id in authority.issuers)
        return violation.apply(Case(authority, above, case.clock, authority, case.copies)).entity

    return case.change_authority(at, change)


def _finished(
    entity: Entity, fault: Fault, text: str, request: str, serial: Callable[[str, str], int] | None
) -> Entity:
    """Return an entity with its digest; a copied authority also gets its own serial number."""
    plans, crl = list[CertificatePlan](), entity.crl
    for plan in entity.certificates:
        number = plan.serial if serial is None else serial(plan.issuer_id, entity.id)
        # Exclude the data of edits: times in it depend on the clock.
        edits = [(edit.path, edit.op.value) for edit in (*plan.edits, *(crl.edits if crl else ()))]
        changes = f"{request} {edits} {entity.output.alterations!r}"
        spec = digest(plan.subject, plan.issuer, plan.signature, text, plan.extensions, changes)
        plans.append(replace(plan, serial=number, spec=spec))
    return replace(entity, certificates=tuple(plans), fault=fault)


def named_after(base: Case, fault: str, serial: Callable[[str, str], int], *, renames: bool = True) -> Case:
    """Return a case with its own name and host name; clients select a case by its host name.

    Without ``renames``, the case has the host name of its base.
    """
    name = shortened(f"{base.entity.name}.{fault}", _LONGEST_NAME)
    plan = base.plan
    own_id = f"{Role.CERTIFICATE}/{name}"
    issuer_id = own_id if plan.issuer_id == base.entity.id else plan.issuer_id
    output = base.entity.output
    entity = replace(
        base.entity,
        name=name,
        certificates=(replace(plan, issuer_id=issuer_id, serial=serial(issuer_id, own_id)),),
        output=replace(output, alias=name if output.alias == base.entity.name else output.alias),
        revocation=None,
        key_of="" if base.entity.given else f"{SHARED_KEY}{base.entity.name}",
    )
    host = _host_of(base.entity) if renames else None
    return replace(base, entity=under_host(entity, host, own_host(host, fault)) if host else entity)


def _host_of(entity: Entity) -> str | None:
    """Return the common name, or else the first DNS name of the certificate, or None."""
    host = common_name(entity.certificates[0].subject)
    return host or next((name for name in entity.hosts if not _is_address(name)), None)


def _beside(case: Case, sibling: Entity, fault: str) -> Entity:
    """Return the sibling of a case with its own host name; a sibling without a DNS name is unchanged."""
    base, hosts = case.base.hosts[:1], case.entity.hosts[:1]
    if not base or not hosts or _is_address(hosts[0]):
        return sibling
    return under_host(sibling, hosts[0], own_host(base[0], f"{fault}-twin"))


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False
