"""A case: one end entity with the authorities above it, and the changes that a fault can make.

Every change returns a new case. A CA that a fault changes is copied for this case, with all CAs below it; the
originals do not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from hashlib import blake2s
from typing import Any

from pkigen.asn1 import oids
from pkigen.asn1.names import ATTRIBUTE_TYPES, COMMON_NAME, values
from pkigen.cases.urls import with_urls
from pkigen.keys.kinds import parse_kind
from pkigen.model import (
    Alteration,
    Attribute,
    CertificatePlan,
    Edit,
    Entity,
    Extension,
    Name,
    Revocation,
    Role,
    Serving,
)

_LONGEST_COMMON_NAME = 64
_LONGEST_NAME = 100
_WITH_URLS = (oids.CRL_DISTRIBUTION_POINTS, oids.FRESHEST_CRL, oids.AUTHORITY_INFORMATION_ACCESS)


class Impossible(Exception):
    """A fault that a case cannot have; the message says why."""


@dataclass(frozen=True)
class Case:
    """An end entity, and the authorities of its path, the issuing CA first and the root last.

    ``copies`` are the names of the CAs that were copied for this case. ``clock`` is the time of the build.
    ``base`` is the original end entity. ``sibling`` is another end entity of the same issuer, for faults
    of two certificates; ``same_serial`` means that both have the same serial number. With
    ``keeps_names``, a copied CA keeps the name of the original. ``peers`` are the end entities of the
    profile by their roles in the requirement set that the case is to violate.
    """

    entity: Entity
    authorities: tuple[Entity, ...]
    clock: datetime
    base: Entity
    copies: tuple[str, ...] = ()
    sibling: Entity | None = None
    same_serial: bool = False
    keeps_names: bool = False
    peers: Mapping[str, tuple[Entity, ...]] = field(default_factory=dict)

    @property
    def plan(self) -> CertificatePlan:
        """The plan of the end entity's certificate."""
        return self.entity.certificates[0]

    def change(self, **fields: Any) -> Case:
        """Change fields of the certificate.

        A self-signed certificate keeps issuer and subject equal; a revocation follows the end of validity.
        """
        plan = replace(self.plan, **fields)
        if "subject" in fields and "issuer" not in fields and plan.issuer_id == self.entity.id:
            plan = replace(plan, issuer=plan.subject)
        case = replace(self, entity=replace(self.entity, certificates=(plan,)))
        revocation = self.entity.revocation
        if revocation is not None and revocation.at == self._revoked_at:
            revocation = replace(revocation, at=case._revoked_at)
        return replace(case, entity=replace(case.entity, revocation=revocation))

    def edit(self, *edits: Edit) -> Case:
        """Edit the bytes of the certificate."""
        return self.change(edits=(*self.plan.edits, *edits))

    def with_key(self, kind: str) -> Case:
        """Change the kind of the key; a server presents one that few TLS clients support to all of them."""
        case = replace(self, entity=replace(self.entity, key=kind, given=None))
        return case if parse_kind(kind).is_common_in_tls else case.served("tls", "unoffered-scheme")

    def alter(self, file: str, how: str, argument: str = "") -> Case:
        """Alter an output file: certificate, key or chain."""
        output = self.entity.output
        altered = replace(output, alterations=(*output.alterations, Alteration(file, how, argument)))
        return replace(self, entity=replace(self.entity, output=altered))

    def with_extension(self, extension: Extension) -> Case:
        """Add an extension, or replace the one with the same OID."""
        extensions = self.plan.extensions
        if self.extension(extension.oid) is None:
            return self.change(extensions=(*extensions, extension))
        changed = tuple(extension if existing.oid == extension.oid else existing for existing in extensions)
        return self.change(extensions=changed)

    def without_extension(self, oid: str) -> Case:
        """Remove the extension with an OID."""
        return self.change(extensions=tuple(one for one in self.plan.extensions if one.oid != oid))

    def extension(self, oid: str) -> Extension | None:
        """Return the extension with an OID, or None."""
        return next((existing for existing in self.plan.extensions if existing.oid == oid), None)

    def with_attribute(self, kind: str, value: str | None) -> Case:
        """Set an attribute of the subject (a short name or an OID); None removes it."""
        return self.change(subject=with_attribute(self.plan.subject, kind, value))

    def revoked(self, reason: str) -> Case:
        """Revoke the certificate at the build time, or at the end of its validity if that is earlier."""
        if self.plan.issuer_id == self.entity.id:
            raise Impossible("a self-signed certificate cannot be revoked")
        revocation = Revocation(reason, self._revoked_at, f"{reason}:case")
        return replace(self, entity=replace(self.entity, revocation=revocation))

    @property
    def _revoked_at(self) -> datetime:
        return min(self.clock, self.plan.not_after)

    def change_authority(self, level: int, change: Callable[[Entity], Entity]) -> Case:
        """Copy the CA at a level (0 is the issuing CA) and all CAs below it, and change the copy."""
        if not 0 <= level < len(self.authorities):
            raise Impossible("the path has too few authorities")
        case = self
        for number in range(level, -1, -1):
            case = case._own(number)
        changed = list(case.authorities)
        changed[level] = change(changed[level])
        case = replace(case, authorities=tuple(changed))
        return case._issued_by(level, self.authorities[level], changed[level])

    def change_authority_plan(self, level: int, change: Callable[[CertificatePlan], CertificatePlan]) -> Case:
        """Copy the CA at a level and all CAs below it, and change the certificate of the copy."""

        def apply(entity: Entity) -> Entity:
            return replace(entity, certificates=(change(entity.certificates[0]),))

        return self.change_authority(level, apply)

    def with_self_issued(self) -> Case:
        """Add a second CA with the name of the issuing CA and another key, which issues the end entity.

        It has its own CRL; the issuing CA is copied for this case.
        """
        return self._with_ca_below("self-issued", lambda subject: subject)

    def with_subordinate(self, suffix: str = "subordinate", **fields: Any) -> Case:
        """Add a CA below the issuing CA, with its own name, key and CRL, which issues the end entity.

        ``fields`` replace fields of the CA, for example ``name`` and ``key``.
        """
        return self._with_ca_below(suffix, lambda subject: _renamed(subject, suffix), **fields)

    def with_chain_of(self, count: int) -> Case:
        """Add CAs below the issuing CA until the path has ``count`` CAs below the root.

        All but the last one have EC keys, which take less time to generate.
        """
        case = self._own(self.intermediate())
        name, kind = case.authorities[0].name, case.authorities[0].key
        while case.root < count:
            key = kind if case.root == count - 1 else "ec-p256"
            suffix = f"subordinate-{case.root}"
            case = case.with_subordinate(suffix, name=f"{name}.{suffix}", key=key)
        return case

    def _with_ca_below(self, suffix: str, named: Callable[[Name], Name], **fields: Any) -> Case:
        case = self._own(self.intermediate())
        issuing, above = case.authorities[:2]
        name = shortened(fields.pop("name", f"{issuing.name}.{suffix}"), _LONGEST_NAME)
        plan = issuing.certificates[0]
        plan = replace(plan, subject=named(plan.subject), signature=self.plan.signature)
        renewed = replace(_called(issuing, name), certificates=(plan,), **fields)
        between = _below(renewed, issuing, _followed(above, issuing))
        authorities = (between, *case.authorities)
        case = replace(case, authorities=authorities, copies=(*case.copies, name))
        return case._issued_by(0, issuing, between)

    def with_twin(self, *, same_serial: bool = False) -> Case:
        """Add a second end entity, a copy of this one."""
        sibling = replace(self.entity, name=shortened(f"{self.entity.name}.twin", _LONGEST_NAME))
        if self.plan.issuer_id == self.entity.id:
            sibling = replace(sibling, certificates=(replace(self.plan, issuer_id=sibling.id),))
        return replace(self, sibling=sibling, same_serial=same_serial)

    def trusting(self, *ids: str) -> Case:
        """Set the IDs of the trust anchors of its clients."""
        return replace(self, entity=replace(self.entity, trust=ids))

    def served(self, url: str, how: str, argument: str = "") -> Case:
        """Add a fault of the server: at a URL, or in the handshake (``tls``)."""
        serving = (*self.entity.serving, Serving(url, how, argument))
        return replace(self, entity=replace(self.entity, serving=serving))

    def self_signed(self) -> Case:
        """Make the end entity self-signed; its clients still trust the root."""
        if not self.authorities:
            raise Impossible("it is self-signed already")
        plan = replace(self.plan, issuer=self.plan.subject, issuer_id=self.entity.id)
        root = self.authorities[-1].id
        entity = replace(self.entity, certificates=(plan,), issuers=(), trust=(root,))
        return replace(self, entity=entity, authorities=(), copies=())

    def with_cross(self, plan: CertificatePlan) -> Case:
        """Add a cross-certificate of the root to the path, before the root."""
        return self.with_extra("cross", plan, self.root, key_of=self.authorities[-1].id)

    def with_extra(self, suffix: str, plan: CertificatePlan, level: int, **fields: Any) -> Case:
        """Add a CA certificate to the chain file, before that of the CA at a level, with its own key.

        An empty issuer ID in the plan stands for the own one. ``fields`` replace fields of the CA, such as
        ``key_of``. It publishes nothing.
        """
        source = self.authorities[level]
        owner = source.name if source.name in self.copies else name_of_copy(source.name, self.entity.name)
        name = shortened(f"{owner}.{suffix}", _LONGEST_NAME)
        issuer_id = plan.issuer_id or f"{Role.AUTHORITY}/{name}"
        issuers = (plan.issuer_id,) if plan.issuer_id else ()
        extra = replace(
            _called(source, name),
            certificates=(replace(plan, issuer_id=issuer_id),),
            issuers=issuers,
            imported=None,
            crl=None,
            trusted=False,
        )
        extra = replace(extra, **fields)
        authorities = (*self.authorities[:level], extra, *self.authorities[level:])
        entity = replace(self.entity, issuers=tuple(one.id for one in authorities))
        return replace(self, entity=entity, authorities=authorities, copies=(*self.copies, name))

    def authority_plan(self, level: int) -> CertificatePlan:
        """Return the plan of the CA at a level; Impossible if the CA was imported from files."""
        if not 0 <= level < len(self.authorities):
            raise Impossible("the path has too few authorities")
        if not self.authorities[level].certificates:
            name = self.authorities[level].name
            raise Impossible(f"the authority '{name}' was imported from files and cannot be copied")
        return self.authorities[level].certificates[0]

    def copied(self) -> tuple[Entity, ...]:
        """Return the copied CAs, each before those that it needs the certificate or the key of."""
        known = {entity.id: entity for entity in self.authorities if entity.name in self.copies}

        @cache
        def height(entity_id: str) -> int:
            entity = known[entity_id]
            needed = {entity.key_of, *(plan.issuer_id for plan in entity.certificates)} - {entity_id}
            return 1 + max((height(one) for one in needed & known.keys()), default=0)

        return tuple(sorted(known.values(), key=lambda entity: -height(entity.id)))

    @property
    def root(self) -> int:
        """Return the level of the root."""
        return len(self.authorities) - 1

    def intermediate(self) -> int:
        """Return the level of the issuing CA; Impossible if it is the root."""
        if len(self.authorities) < 2:
            raise Impossible("there is no intermediate CA above it")
        return 0

    def _own(self, level: int) -> Case:
        """Copy one CA for this case, and make the copy the issuer of the certificate below it."""
        sound = self.authorities[level]
        if sound.name in self.copies:
            return self
        if sound.imported is not None or not sound.certificates:
            raise Impossible(f"the authority '{sound.name}' was imported from files and cannot be copied")
        name = name_of_copy(sound.name, self.entity.name)
        subject = sound.certificates[0].subject
        if not self.keeps_names:
            subject = _renamed(subject, self.entity.name)
        above = self.authorities[level + 1 :]
        plan = sound.certificates[0]
        self_signed = plan.issuer_id == sound.id
        own_id = f"{Role.AUTHORITY}/{name}"
        plan = replace(
            plan,
            subject=subject,
            issuer=subject if self_signed else plan.issuer,
            issuer_id=own_id if self_signed else plan.issuer_id,
        )
        issuers = tuple(entity.id for entity in above)
        copy = replace(_called(sound, name), certificates=(plan,), issuers=issuers)
        authorities = (*self.authorities[:level], copy, *above)
        case = replace(self, authorities=authorities, copies=(*self.copies, name))
        return case._issued_by(level, sound, copy)

    def _issued_by(self, level: int, sound: Entity, copy: Entity) -> Case:
        """Replace names and URLs of the original CA in the certificate below the copy."""
        urls = _followed(sound, copy)
        if level > 0:
            below = _below(self.authorities[level - 1], copy, urls)
            changed = (*self.authorities[: level - 1], below, *self.authorities[level:])
            case = replace(self, authorities=changed)
        else:
            case = replace(self, entity=_below(self.entity, copy, urls))
        issuers = tuple(entity.id for entity in case.authorities)
        return replace(case, entity=replace(case.entity, issuers=issuers))


def _below(entity: Entity, issuer: Entity, urls: dict[str, str]) -> Entity:
    """Return an entity issued by another CA; URLs of the old CA become those of the new one."""
    plan = entity.certificates[0]
    plan = replace(
        plan,
        issuer=issuer.certificates[0].subject,
        issuer_id=issuer.id,
        extensions=tuple(_pointing(extension, urls) for extension in plan.extensions),
    )
    issuers = (issuer.id, *issuer.issuers)
    return replace(entity, certificates=(plan, *entity.certificates[1:]), issuers=issuers)


def _pointing(extension: Extension, urls: dict[str, str]) -> Extension:
    """Replace the URLs in an extension; other extensions do not change."""
    if not isinstance(extension.value, bytes) or extension.oid not in _WITH_URLS:
        return extension
    return replace(extension, value=with_urls(extension.value, lambda url: urls.get(url, url)))


def _called(authority: Entity, name: str) -> Entity:
    """Return a renamed CA, which publishes under its new name and is not revoked."""
    crl = authority.crl and replace(authority.crl, url=_moved(authority.crl.url, authority.name, name))
    ca_url = authority.ca_url and _moved(authority.ca_url, authority.name, name)
    responding = authority.responding and replace(authority.responding, responder="")
    return replace(authority, name=name, crl=crl, ca_url=ca_url, revocation=None, responding=responding)


def _followed(former: Entity, authority: Entity) -> dict[str, str]:
    """Return a mapping from the URLs of one CA to those of another."""
    urls = {former.ca_url or "": authority.ca_url or ""}
    if former.crl:
        crl = authority.crl
        urls[former.crl.url] = crl.url if crl else ""
        urls |= {former.crl.part_url(part): crl.part_url(part) if crl else "" for part in former.crl.parts}
    return urls


def _moved(url: str, name: str, other: str) -> str:
    """Return the URL of another CA's file in the same directory."""
    folder, slash, file = url.rpartition("/")
    return folder + slash + file.replace(name, other, 1)


def with_attribute(subject: Name, kind: str, value: str | None) -> Name:
    """Set the value of an attribute in a name, or append it; None removes it."""
    oid, tag = ATTRIBUTE_TYPES.get(kind, (kind, 0x0C))
    rdns, placed = list[tuple[Attribute, ...]](), False
    for rdn in subject:
        if all(attribute.oid != oid for attribute in rdn):
            rdns.append(rdn)
        elif value is not None and not placed:
            rdns.append((Attribute(oid, value, tag),))
            placed = True
    if value is not None and not placed:
        rdns.append((Attribute(oid, value, tag),))
    return tuple(rdns)


def common_name(subject: Name) -> str | None:
    """Return the first common name."""
    return next(iter(values(subject, COMMON_NAME)), None)


def _renamed(subject: Name, case: str) -> Name:
    """Give a copied CA its own name, so that clients do not confuse it with the original."""
    name = common_name(subject) or "CA"
    return with_attribute(subject, "CN", shortened(f"{name} {case}", _LONGEST_COMMON_NAME))


def name_of_copy(authority: str, case: str) -> str:
    """Return the name of a CA that was copied for a case."""
    return shortened(f"{authority}.{case}", _LONGEST_NAME)


def shortened(text: str, longest: int) -> str:
    """Shorten a string to a maximum length, with a digest at its end."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9].rstrip('.-_ ')}-{blake2s(text.encode(), digest_size=4).hexdigest()}"
