"""Changes of the CRL that the issuing authority publishes: the case gets an authority of its own for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pkigen.asn1 import oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.urls import urls_in
from pkigen.model import CrlEntry, CrlPlan, Edit, Entity, Extension

NOBODYS_SERIAL = 0x6E6F626F6479
"""Of no certificate: serials that are drawn have many more digits."""


def change_crl(case: Case, change: Callable[[CrlPlan], CrlPlan]) -> Case:
    """Another CRL of the issuing authority; Impossible when it has none."""

    def apply(entity: Entity) -> Entity:
        if entity.crl is None:
            raise Impossible(f"the authority '{entity.name}' publishes no CRL")
        return replace(entity, crl=change(entity.crl))

    return case.change_authority(0, apply)


def with_crl(case: Case, **fields: Any) -> Case:
    """Other fields of its plan."""
    return change_crl(case, lambda crl: replace(crl, **fields))


def edit_crl(case: Case, *edits: Edit) -> Case:
    """Other octets of it."""
    return change_crl(case, lambda crl: replace(crl, edits=(*crl.edits, *edits)))


def extend_crl(case: Case, oid: str, value: bytes, *, critical: bool = False) -> Case:
    """An extension more."""
    added = Extension(oid, critical, value)
    return change_crl(case, lambda crl: replace(crl, extensions=(*crl.extensions, added)))


def list_in_crl(case: Case, *entries: CrlEntry) -> Case:
    """Entries more, for certificates that nobody has."""
    return change_crl(case, lambda crl: replace(crl, entries=(*crl.entries, *entries)))


def serve_crl(case: Case, how: str, argument: str = "") -> Case:
    """A sound CRL, and a server that answers wrong where it is; Impossible when nobody is led there."""
    case = change_crl(case, lambda crl: crl)
    crl, points = case.authorities[0].crl, case.extension(oids.CRL_DISTRIBUTION_POINTS)
    assert crl is not None
    if points is None or not isinstance(points.value, bytes) or crl.url not in urls_in(points.value):
        raise Impossible("the sound certificate does not say where the CRL of its issuer is")
    return case.served(crl.url, how, argument)
