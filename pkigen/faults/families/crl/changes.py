"""Changes of the CRL that the issuing CA publishes; each case gets its own copy of the CA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2s
from typing import Any

from pkigen.asn1 import oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.urls import urls_in
from pkigen.model import CrlEntry, CrlPlan, Edit, Entity, Extension

NOBODYS_SERIAL = 0x6E6F626F6479
"""Serial number of no certificate: random serial numbers are much longer."""


def change_crl(case: Case, change: Callable[[CrlPlan], CrlPlan]) -> Case:
    """Change the CRL plan of the issuing CA; raise Impossible if it publishes no CRL."""

    def apply(entity: Entity) -> Entity:
        if entity.crl is None:
            raise Impossible(f"the authority '{entity.name}' publishes no CRL")
        return replace(entity, crl=change(entity.crl))

    return case.change_authority(0, apply)


def with_crl(case: Case, **fields: Any) -> Case:
    """Replace fields of the CRL plan."""
    return change_crl(case, lambda crl: replace(crl, **fields))


def edit_crl(case: Case, *edits: Edit) -> Case:
    """Add DER edits to the CRL plan."""
    return change_crl(case, lambda crl: replace(crl, edits=(*crl.edits, *edits)))


def extend_crl(case: Case, oid: str, value: bytes, *, critical: bool = False) -> Case:
    """Add an extension to the CRL."""
    added = Extension(oid, critical, value)
    return change_crl(case, lambda crl: replace(crl, extensions=(*crl.extensions, added)))


def list_in_crl(case: Case, *entries: CrlEntry) -> Case:
    """Add CRL entries for certificates that do not exist."""
    return change_crl(case, lambda crl: replace(crl, entries=(*crl.entries, *entries)))


def with_fixed_serial(case: Case, *, top_bit: bool = False) -> Case:
    """Give the certificate a serial number that follows from its name, so that a CRL can list it.

    It is unique under the copied issuing CA, and has 127 bits; with ``top_bit`` it has 128.
    """
    case = case.change_authority(0, lambda entity: entity)
    digest = blake2s(case.entity.name.encode(), digest_size=16).digest()
    number = int.from_bytes(digest, "big") % (1 << 126) | 1 << 126
    return case.change(serial=number | 1 << 127 if top_bit else number)


def serve_crl(case: Case, how: str, argument: str = "") -> Case:
    """Serve a valid CRL with a faulty response; raise Impossible if the certificate does not refer to it."""
    case = change_crl(case, lambda crl: crl)
    crl, points = case.authorities[0].crl, case.extension(oids.CRL_DISTRIBUTION_POINTS)
    assert crl is not None
    if points is None or not isinstance(points.value, bytes) or crl.url not in urls_in(points.value):
        raise Impossible("the certificate does not say where the CRL of its issuer is")
    return case.served(crl.url, how, argument)
