"""A case: one end entity with the authorities above it, and the changes that a fault can make.

Every change gives a new case. An authority that a fault changes is copied for that case alone, with
all between it and the end entity: the sound ones stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2s
from typing import Any

from pkigen.asn1 import oids
from pkigen.asn1.names import ATTRIBUTE_TYPES, COMMON_NAME, values
from pkigen.cases.urls import with_urls
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

    ``copies`` are the names of those authorities that are this case's own. ``clock`` is the
    build's. ``base`` is the sound end entity. ``sibling`` is another end entity of the same issuer, for
    what is wrong with two together; ``same_serial`` says that it has this one's serial number.
    """

    entity: Entity
    authorities: tuple[Entity, ...]
    clock: datetime
    base: Entity
    copies: tuple[str, ...] = ()
    sibling: Entity | None = None
    same_serial: bool = False

    @property
    def plan(self) -> CertificatePlan:
        """The end entity's certificate."""
        return self.entity.certificates[0]

    def change(self, **fields: Any) -> Case:
        """Other fields of the certificate.

        The issuer of a self-signed one follows its subject, its revocation its end.
        """
        plan = replace(self.plan, **fields)
        if "subject" in fields and "issuer" not in fields and plan.issuer_id == self.entity.id:
            plan = replace(plan, issuer=plan.subject)
        case = replace(self, entity=replace(self.entity, certificates=(plan,)))
        held = self.entity.revocation
        if held is not None and held.at == self._revoked_at:
            held = replace(held, at=case._revoked_at)
        return replace(case, entity=replace(case.entity, revocation=held))

    def edit(self, *edits: Edit) -> Case:
        """Other octets of the certificate."""
        return self.change(edits=(*self.plan.edits, *edits))

    def with_key(self, kind: str) -> Case:
        """A key of another kind."""
        return replace(self, entity=replace(self.entity, key=kind))

    def alter(self, file: str, how: str, argument: str = "") -> Case:
        """A file that is written wrong: certificate, key or chain."""
        output = self.entity.output
        altered = replace(output, alterations=(*output.alterations, Alteration(file, how, argument)))
        return replace(self, entity=replace(self.entity, output=altered))

    def with_extension(self, extension: Extension) -> Case:
        """An extension, in the place of the one of the same OID if there is one."""
        held = self.plan.extensions
        if self.extension(extension.oid) is None:
            return self.change(extensions=(*held, extension))
        changed = tuple(extension if found.oid == extension.oid else found for found in held)
        return self.change(extensions=changed)

    def without_extension(self, oid: str) -> Case:
        """No extension of an OID."""
        return self.change(extensions=tuple(found for found in self.plan.extensions if found.oid != oid))

    def extension(self, oid: str) -> Extension | None:
        """The extension of an OID."""
        return next((found for found in self.plan.extensions if found.oid == oid), None)

    def with_attribute(self, kind: str, value: str | None) -> Case:
        """Another value of a subject attribute (a short name or an OID); None leaves it out."""
        return self.change(subject=with_attribute(self.plan.subject, kind, value))

    def revoked(self, reason: str) -> Case:
        """Revoked by its issuer, for a reason: at the build, or when it ended if that was before."""
        if self.plan.issuer_id == self.entity.id:
            raise Impossible("nobody can revoke a self-signed certificate")
        held = Revocation(reason, self._revoked_at, f"{reason}:case")
        return replace(self, entity=replace(self.entity, revocation=held))

    @property
    def _revoked_at(self) -> datetime:
        return min(self.clock, self.plan.not_after)

    def change_authority(self, level: int, change: Callable[[Entity], Entity]) -> Case:
        """A copy of the authority at a level (0 is the issuing CA), changed; and of all below it."""
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
        """A copy of the authority at a level, whose certificate is changed; and of all below it."""

        def apply(entity: Entity) -> Entity:
            return replace(entity, certificates=(change(entity.certificates[0]),))

        return self.change_authority(level, apply)

    def with_self_issued(self) -> Case:
        """The issuing CA certifies another key under its own name, and that one issues the end entity.

        It is one authority more, with a CRL of its own; the issuing CA becomes this case's own.
        """
        case = self._own(self.intermediate())
        issuing, above = case.authorities[:2]
        name = shortened(f"{issuing.name}.self-issued", _LONGEST_NAME)
        plan = replace(issuing.certificates[0], signature=self.plan.signature)
        renewed = replace(_called(issuing, name), certificates=(plan,))
        between = _below(renewed, issuing, _followed(above, issuing))
        authorities = (between, *case.authorities)
        case = replace(case, authorities=authorities, copies=(*case.copies, name))
        return case._issued_by(0, issuing, between)

    def with_twin(self, *, same_serial: bool = False) -> Case:
        """A second end entity as this one is now, called after it."""
        sibling = replace(self.entity, name=shortened(f"{self.entity.name}.twin", _LONGEST_NAME))
        if self.plan.issuer_id == self.entity.id:
            sibling = replace(sibling, certificates=(replace(self.plan, issuer_id=sibling.id),))
        return replace(self, sibling=sibling, same_serial=same_serial)

    def trusting(self, *ids: str) -> Case:
        """Its clients trust others than the root of its path, by id."""
        return replace(self, entity=replace(self.entity, trust=ids))

    def served(self, url: str, how: str, argument: str = "") -> Case:
        """A server does something wrong for it: at a URL, or in the handshake (``tls``)."""
        serving = (*self.entity.serving, Serving(url, how, argument))
        return replace(self, entity=replace(self.entity, serving=serving))

    def self_signed(self) -> Case:
        """Signed with its own key; its clients still trust the root that was above it."""
        if not self.authorities:
            raise Impossible("it is self-signed already")
        plan = replace(self.plan, issuer=self.plan.subject, issuer_id=self.entity.id)
        root = self.authorities[-1].id
        entity = replace(self.entity, certificates=(plan,), issuers=(), trust=(root,))
        return replace(self, entity=entity, authorities=(), copies=())

    def with_cross(self, plan: CertificatePlan) -> Case:
        """A second certificate of its root, from another authority, in the path before the root's own."""
        root = self.authorities[-1]
        name = shortened(f"{root.name}.cross", _LONGEST_NAME)
        called = _called(root, name)
        cross = replace(called, certificates=(plan,), issuers=(plan.issuer_id,), key_of=root.id, crl=None)
        authorities = (*self.authorities[:-1], cross, root)
        issuers = tuple(entity.id for entity in authorities)
        entity = replace(self.entity, issuers=issuers)
        return replace(self, entity=entity, authorities=authorities, copies=(*self.copies, name))

    @property
    def root(self) -> int:
        """The level of the root."""
        return len(self.authorities) - 1

    def intermediate(self) -> int:
        """The level of the issuing CA, which must not be the root; Impossible when it is."""
        if len(self.authorities) < 2:
            raise Impossible("there is no intermediate CA above it")
        return 0

    def _own(self, level: int) -> Case:
        """This case's own copy of one authority; what it issued follows."""
        sound = self.authorities[level]
        if sound.name in self.copies:
            return self
        if sound.imported is not None or not sound.certificates:
            raise Impossible(f"the authority '{sound.name}' was brought from files, and cannot be copied")
        name = shortened(f"{sound.name}.{self.entity.name}", _LONGEST_NAME)
        subject = _renamed(sound.certificates[0].subject, self.entity.name)
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
        """What the copied authority issued names it, and leads to what it publishes."""
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
    """An entity issued by another authority; URLs of the former one in it lead to the new one's."""
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
    """An extension in which URLs stand, with other URLs; one that says something else stays as it is."""
    if not isinstance(extension.value, bytes) or extension.oid not in _WITH_URLS:
        return extension
    return replace(extension, value=with_urls(extension.value, lambda url: urls.get(url, url)))


def _called(authority: Entity, name: str) -> Entity:
    """An authority under another name, which publishes under it too, and is not revoked."""
    crl = authority.crl and replace(authority.crl, url=_moved(authority.crl.url, authority.name, name))
    ca_url = authority.ca_url and _moved(authority.ca_url, authority.name, name)
    responding = authority.responding and replace(authority.responding, responder="")
    return replace(authority, name=name, crl=crl, ca_url=ca_url, revocation=None, responding=responding)


def _followed(former: Entity, authority: Entity) -> dict[str, str]:
    """The URLs of what one authority publishes, and those of another in their place."""
    urls = {former.ca_url or "": authority.ca_url or ""}
    if former.crl:
        crl = authority.crl
        urls[former.crl.url] = crl.url if crl else ""
        urls |= {former.crl.part_url(part): crl.part_url(part) if crl else "" for part in former.crl.parts}
    return urls


def _moved(url: str, name: str, other: str) -> str:
    """The URL of another authority's file, which is published beside the first one's."""
    folder, slash, file = url.rpartition("/")
    return folder + slash + file.replace(name, other, 1)


def with_attribute(subject: Name, kind: str, value: str | None) -> Name:
    """A name with another value of an attribute, where it stands or at the end; None leaves it out."""
    oid, tag = ATTRIBUTE_TYPES.get(kind, (kind, 0x0C))
    found, placed = list[tuple[Attribute, ...]](), False
    for rdn in subject:
        if all(attribute.oid != oid for attribute in rdn):
            found.append(rdn)
        elif value is not None and not placed:
            found.append((Attribute(oid, value, tag),))
            placed = True
    if value is not None and not placed:
        found.append((Attribute(oid, value, tag),))
    return tuple(found)


def common_name(subject: Name) -> str | None:
    """The first common name."""
    return next(iter(values(subject, COMMON_NAME)), None)


def _renamed(subject: Name, case: str) -> Name:
    """The subject of a copied authority: clients that know the sound one must not take it for it."""
    held = common_name(subject) or "CA"
    return with_attribute(subject, "CN", shortened(f"{held} {case}", _LONGEST_COMMON_NAME))


def shortened(text: str, longest: int) -> str:
    """``text`` itself, or its beginning with a digest of it: at most so many characters."""
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9].rstrip('.-_ ')}-{blake2s(text.encode(), digest_size=4).hexdigest()}"
