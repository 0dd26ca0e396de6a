"""Who publishes what, as the index keeps it: CRLs are renewed without the profile that asked for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from pkigen.model import CrlForm, CrlPlan, Entity, KeyIdentifier, OcspPlan, Role
from pkigen.store import Store


@dataclass(frozen=True)
class CrlIssuer:
    """An authority, by its name, and the CRL that it publishes."""

    name: str
    crl: CrlPlan

    @property
    def id(self) -> str:
        """As the entity's."""
        return f"{Role.AUTHORITY}/{self.name}"


@dataclass(frozen=True)
class PresignedSubject:
    """An end entity, by its name, its issuing CA by its id, and the OCSP answer about it."""

    name: str
    issuer: str
    ocsp: OcspPlan

    @property
    def id(self) -> str:
        """As the entity's."""
        return f"{Role.CERTIFICATE}/{self.name}"


def crl_issuer(entity: Entity) -> CrlIssuer | None:
    """An authority that has a CRL which is put anywhere."""
    if entity.crl is None or entity.crl.form is CrlForm.NONE:
        return None
    return CrlIssuer(entity.name, entity.crl)


def presigned_subject(entity: Entity) -> PresignedSubject | None:
    """An end entity about which there is an answer of its own."""
    if entity.ocsp is None:
        return None
    return PresignedSubject(entity.name, entity.certificates[0].issuer_id, entity.ocsp)


def crl_issuers_in(entities: Iterable[Entity]) -> dict[str, CrlIssuer]:
    """The authorities among entities that publish a CRL, by id."""
    found = map(crl_issuer, entities)
    return {issuer.id: issuer for issuer in found if issuer is not None}


def save_publishers(store: Store, entities: Iterable[Entity]) -> None:
    """Put down in the index what entities publish, for those who have no profile at hand."""
    found = [crl_issuer(entity) or presigned_subject(entity) for entity in entities]
    store.index.set_publishers((one.id, _text(one)) for one in found if one is not None)


def load_crl_issuers(store: Store) -> dict[str, CrlIssuer]:
    """The authorities that publish a CRL, by id."""
    return {
        entity: _adapter(CrlIssuer).validate_python(json.loads(text, object_hook=_special))
        for entity, text in store.index.publishers().items()
        if entity.startswith(f"{Role.AUTHORITY}/")
    }


def load_presigned_subjects(store: Store) -> dict[str, PresignedSubject]:
    """The end entities with an OCSP answer of their own, by id."""
    return {
        entity: _adapter(PresignedSubject).validate_python(json.loads(text, object_hook=_special))
        for entity, text in store.index.publishers().items()
        if entity.startswith(f"{Role.CERTIFICATE}/")
    }


def _text(one: CrlIssuer | PresignedSubject) -> str:
    adapter = _adapter(CrlIssuer) if isinstance(one, CrlIssuer) else _adapter(PresignedSubject)
    return json.dumps(adapter.dump_python(one), default=_plain)


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


_OCTETS, _IDENTIFIER = "octets", "key identifier"


def _plain(value: object) -> object:
    """What JSON has no form for."""
    if isinstance(value, bytes):
        return {_OCTETS: value.hex()}
    if isinstance(value, KeyIdentifier):
        return {_IDENTIFIER: value.value}
    assert isinstance(value, Enum)
    return value.value


def _special(found: dict[str, Any]) -> Any:
    if _OCTETS in found:
        return bytes.fromhex(found[_OCTETS])
    return KeyIdentifier(found[_IDENTIFIER]) if _IDENTIFIER in found else found
