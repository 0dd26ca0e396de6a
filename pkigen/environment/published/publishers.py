"""The plans of CRLs and OCSP responses, stored in the index so that a refresh needs no profile."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from pkigen.model import CrlForm, CrlPlan, Entity, KeyIdentifier, OcspPlan, Role
from pkigen.store import Store, decoding


@dataclass(frozen=True)
class CrlIssuer:
    """An authority, by name, and the plan of the CRL that it publishes."""

    name: str
    crl: CrlPlan

    @property
    def id(self) -> str:
        """The entity's id."""
        return f"{Role.AUTHORITY}/{self.name}"


@dataclass(frozen=True)
class PresignedSubject:
    """An end entity, by name, the id of its issuing CA, and the plan of the OCSP response about it."""

    name: str
    issuer: str
    ocsp: OcspPlan

    @property
    def id(self) -> str:
        """The entity's id."""
        return f"{Role.CERTIFICATE}/{self.name}"


def crl_issuer(entity: Entity) -> CrlIssuer | None:
    """Return an authority's CRL plan; None if it publishes no CRL."""
    if entity.crl is None or (entity.crl.form is CrlForm.NONE and not entity.crl.additional):
        return None
    return CrlIssuer(entity.name, entity.crl)


def crl_issuers_in(entities: Iterable[Entity]) -> dict[str, CrlIssuer]:
    """Return the authorities among entities that publish a CRL, by id."""
    issuers = map(crl_issuer, entities)
    return {issuer.id: issuer for issuer in issuers if issuer is not None}


def presigned_subject(entity: Entity) -> PresignedSubject | None:
    """Return the plan of an end entity's own OCSP response; None if it has none."""
    if entity.ocsp is None:
        return None
    return PresignedSubject(entity.name, entity.certificates[0].issuer_id, entity.ocsp)


def save_publishers(store: Store, entities: Iterable[Entity]) -> None:
    """Store the publication plans of entities in the index."""
    plans = [crl_issuer(entity) or presigned_subject(entity) for entity in entities]
    store.index.set_publishers((plan.id, _to_json(plan)) for plan in plans if plan is not None)


def load_crl_issuers(store: Store) -> dict[str, CrlIssuer]:
    """Return the recorded authorities that publish a CRL, by id."""
    return _load(store, Role.AUTHORITY)


def load_presigned_subjects(store: Store) -> dict[str, PresignedSubject]:
    """Return the recorded end entities with their own OCSP response, by id."""
    return _load(store, Role.CERTIFICATE)


def _load(store: Store, role: Role) -> dict[str, Any]:
    adapter, plans = _adapter(role), dict[str, Any]()
    for entity, text in store.index.publishers().items():
        if entity.startswith(f"{role}/"):
            with decoding(f"publishers: {entity}"):
                plan = adapter.validate_python(json.loads(text, object_hook=_from_json))
                if plan.id != entity:
                    raise ValueError
                plans[entity] = plan
    return plans


def _to_json(plan: CrlIssuer | PresignedSubject) -> str:
    role = Role.AUTHORITY if isinstance(plan, CrlIssuer) else Role.CERTIFICATE
    return json.dumps(_adapter(role).dump_python(plan), default=_json_form)


@cache
def _adapter(role: Role) -> TypeAdapter[Any]:
    return TypeAdapter(CrlIssuer if role is Role.AUTHORITY else PresignedSubject)


_BYTES, _IDENTIFIER = "octets", "key identifier"
"""Keys of the stored JSON; older indexes contain them."""

_FIELDS_OF_0_1 = {
    "listed_by": "indirect_crl_issuer",
    "mistaken": "wrong_cert_id_field",
    "stranger": "rogue_key",
    "surgery": "op",
}
"""Fields under the names that release 0.1 stored, and today's names."""
_WORDS_OF_0_1 = {"folder": "directory", "octets": "bytes"}
"""Words in the stored values of CrlForm and OcspForm, and today's words."""


def _json_form(value: object) -> object:
    """Return the stored form of a value that JSON cannot represent."""
    if isinstance(value, bytes):
        return {_BYTES: value.hex()}
    if isinstance(value, KeyIdentifier):
        return {_IDENTIFIER: value.value}
    assert isinstance(value, Enum)
    return value.value


def _from_json(stored: dict[str, Any]) -> Any:
    if _BYTES in stored:
        return bytes.fromhex(stored[_BYTES])
    if _IDENTIFIER in stored:
        return KeyIdentifier(stored[_IDENTIFIER])
    fields = {_FIELDS_OF_0_1.get(name, name): value for name, value in stored.items()}
    if "form" in fields:
        for old, new in _WORDS_OF_0_1.items():
            fields["form"] = fields["form"].replace(old, new)
    return fields
