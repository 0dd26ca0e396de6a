"""Adds, removes and changes extensions of the end entity of a case or of a CA above it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.model import CertificatePlan, Extension, KeyIdentifier

Level = int | None
"""None is the end entity, 0 the issuing CA, 1 its issuer, and so on."""


def change_plan(case: Case, level: Level, change: Callable[[CertificatePlan], CertificatePlan]) -> Case:
    """Change one certificate of the path."""
    if level is not None:
        return case.change_authority_plan(level, change)
    changed = change(case.plan)
    return replace(case, entity=replace(case.entity, certificates=(changed,)))


def put(case: Case, oid: str, value: bytes, *, critical: bool = False, level: Level = None) -> Case:
    """Add an extension, or replace the one with the same OID."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        extension = Extension(oid, critical, value)
        if all(existing.oid != oid for existing in plan.extensions):
            return replace(plan, extensions=(*plan.extensions, extension))
        changed = tuple(extension if existing.oid == oid else existing for existing in plan.extensions)
        return replace(plan, extensions=changed)

    return change_plan(case, level, change)


def leave_out(case: Case, oid: str, level: Level = None) -> Case:
    """Remove the extension with an OID."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, extensions=tuple(one for one in plan.extensions if one.oid != oid))

    return change_plan(case, level, change)


def set_critical(case: Case, oid: str, critical: bool, level: Level = None) -> Case:
    """Set or clear the critical flag of an extension; Impossible if it does not exist."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        if all(existing.oid != oid for existing in plan.extensions):
            raise Impossible(f"the certificate has no extension {oid}")
        changed = (
            replace(existing, critical=critical) if existing.oid == oid else existing
            for existing in plan.extensions
        )
        return replace(plan, extensions=tuple(changed))

    return change_plan(case, level, change)


def drop_path_length(case: Case, level: Level = None) -> Case:
    """Remove a CA's path length constraint, which needs keyCertSign (RFC 5280, 4.2.1.9)."""
    unlimited = der.sequence(der.boolean(True))

    def change(plan: CertificatePlan) -> CertificatePlan:
        changed = (replace(one, value=unlimited) if _is_of_ca(one) else one for one in plan.extensions)
        return replace(plan, extensions=tuple(changed))

    return change_plan(case, level, change)


def _is_of_ca(extension: Extension) -> bool:
    if extension.oid != oids.BASIC_CONSTRAINTS or isinstance(extension.value, KeyIdentifier):
        return False
    return der.children(extension.value)[:1] == [der.boolean(True)]


def value_of(case: Case, oid: str) -> bytes:
    """Return the value of an extension of the end entity; Impossible if it is missing or not known yet."""
    extension = case.extension(oid)
    if extension is None or isinstance(extension.value, KeyIdentifier):
        raise Impossible(f"the certificate has no extension {oid} with a known value")
    return extension.value


JUNK = bytes.fromhex("0403deadbe")
"""A well-formed OCTET STRING as the value of an extension of another type."""
EMPTY_SEQUENCE = der.sequence()

_URL = der.tlv(0x86, b"http://127.0.0.1/published")
SAMPLES = {
    oids.NAME_CONSTRAINTS: der.sequence(der.tlv(0xA1, der.sequence(der.tlv(0x82, b"excluded.invalid")))),
    oids.POLICY_CONSTRAINTS: der.sequence(der.tlv(0x81, b"\x09")),
    oids.INHIBIT_ANY_POLICY: der.integer(9),
    oids.POLICY_MAPPINGS: der.sequence(der.sequence(der.oid("1.2.3.4"), der.oid("1.2.3.5"))),
    oids.FRESHEST_CRL: der.sequence(der.sequence(der.tlv(0xA0, der.tlv(0xA0, _URL)))),
    oids.SUBJECT_INFORMATION_ACCESS: der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.5"), _URL)),
    oids.ISSUER_ALTERNATIVE_NAME: der.sequence(der.tlv(0x82, b"ca.contoso.test")),
    oids.SUBJECT_DIRECTORY_ATTRIBUTES: der.sequence(
        der.sequence(der.oid("1.3.6.1.5.5.7.9.4"), der.set_of(der.string(der.PRINTABLE_STRING, "US")))
    ),
}
"""A valid value for an extension that the certificate does not have."""
