"""Extensions of a case: put in, left out, spoiled; in the end entity or in an authority above it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.model import CertificatePlan, Extension, KeyIdentifier

Level = int | None
"""None is the end entity; 0 the issuing CA, and so on upward."""


def change_plan(case: Case, level: Level, change: Callable[[CertificatePlan], CertificatePlan]) -> Case:
    """A change of one certificate of the path."""
    if level is not None:
        return case.change_authority_plan(level, change)
    changed = change(case.plan)
    return replace(case, entity=replace(case.entity, certificates=(changed,)))


def put(case: Case, oid: str, value: bytes, *, critical: bool = False, level: Level = None) -> Case:
    """An extension, in the place of the one of its OID if there is one."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        extension = Extension(oid, critical, value)
        if all(held.oid != oid for held in plan.extensions):
            return replace(plan, extensions=(*plan.extensions, extension))
        changed = tuple(extension if held.oid == oid else held for held in plan.extensions)
        return replace(plan, extensions=changed)

    return change_plan(case, level, change)


def leave_out(case: Case, oid: str, level: Level = None) -> Case:
    """No extension of an OID."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        return replace(plan, extensions=tuple(held for held in plan.extensions if held.oid != oid))

    return change_plan(case, level, change)


def set_critical(case: Case, oid: str, critical: bool, level: Level = None) -> Case:
    """The same extension with the flag set or not; Impossible when there is none."""

    def change(plan: CertificatePlan) -> CertificatePlan:
        if all(held.oid != oid for held in plan.extensions):
            raise Impossible(f"the sound certificate has no extension {oid}")
        changed = (replace(held, critical=critical) if held.oid == oid else held for held in plan.extensions)
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
    """The value of an extension of the end entity; Impossible when there is none that is known yet."""
    held = case.extension(oid)
    if held is None or isinstance(held.value, KeyIdentifier):
        raise Impossible(f"the sound certificate has no extension {oid} whose value is known")
    return held.value


JUNK = bytes.fromhex("0403deadbe")
"""A well-formed OCTET STRING where something else belongs."""
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
