"""Certificate policies, their mappings and constraints (RFC 5280, 4.2.1.4, 4.2.1.5, 4.2.1.11, 4.2.1.14)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import Level, leave_out, put
from pkigen.faults.registry import fault

_POLICY, _QUALIFIER = "1.3.6.1.4.1.55738.99.3", "1.3.6.1.4.1.55738.99.4"
_REQUIRE_EXPLICIT, _INHIBIT_MAPPING = 0x80, 0x81
_RESERVED = "CABF BR 7.1.2.7.9"


def _policies(case: Case, *policies: str, level: Level = None) -> Case:
    """Certificate policies without qualifiers."""
    value = der.sequence(*(der.sequence(der.oid(policy)) for policy in policies))
    return put(case, oids.CERTIFICATE_POLICIES, value, level=level)


def _constraints(case: Case, *fields: bytes, critical: bool = True) -> Case:
    """Policy constraints of the issuing CA."""
    value = der.sequence(*fields)
    return put(case, oids.POLICY_CONSTRAINTS, value, critical=critical, level=case.intermediate())


@fault("R", "path", "6.1.3 (f)", finds=("path:policy", "path-valid", "chain-of-trust"))
def pol_require_explicit_unmet(case: Case) -> Case:
    """Its issuing CA asks for a policy, and it has none.

    Not all validators process policies: the others must refuse the critical policy constraints.
    """
    changed = _policies(case, oids.ANY_POLICY, level=case.intermediate())
    changed = leave_out(changed, oids.CERTIFICATE_POLICIES)
    return _constraints(changed, der.tlv(_REQUIRE_EXPLICIT, b"\x00"))


@fault("V", "path", "4.2.1.11")
def pol_constraints_noncritical(case: Case) -> Case:
    """Its issuing CA's policy constraints are not critical.

    They must be. They inhibit mappings, of which there is none.
    """
    return _constraints(case, der.tlv(_INHIBIT_MAPPING, b"\x00"), critical=False)


@fault("V", "parse", "4.2.1.11", finds=("path:policy", "path-valid", "chain-of-trust"))
def pol_constraints_empty(case: Case) -> Case:
    """Its issuing CA's policy constraints are empty.

    One of the two fields must be there; what to do without is left to the client.
    """
    return _constraints(case)


@fault("R", "path", "6.1.4 (a)", finds=("path:policy", "path-valid", "chain-of-trust"))
def pol_mapping_any(case: Case) -> Case:
    """Its issuing CA maps a policy to any policy.

    anyPolicy must not be mapped; validators that process policies refuse the path.
    """
    changed = _policies(case, _POLICY, level=case.intermediate())
    value = der.sequence(der.sequence(der.oid(_POLICY), der.oid(oids.ANY_POLICY)))
    return put(changed, oids.POLICY_MAPPINGS, value, critical=True, level=case.intermediate())


@fault("V", "parse", "4.2.1.4", finds=("path:policy", "path-valid", "chain-of-trust"))
def pol_duplicate_oid(case: Case) -> Case:
    """It has one policy twice.

    A policy must be there once; some parsers refuse the extension.
    """
    return _policies(case, oids.DOMAIN_VALIDATED, oids.DOMAIN_VALIDATED)


@fault("P", "lint", "4.2.1.4")
def pol_empty(case: Case) -> Case:
    """Its list of policies is empty.

    One policy at least must be there.
    """
    return _policies(case)


@fault("V", "path", "4.2.1.4")
def pol_critical_unknown_qualifier(case: Case) -> Case:
    """Its policies are critical, and have a qualifier that nobody knows.

    Who cannot interpret a critical extension, qualifiers included, must refuse the certificate.
    """
    qualifier = der.sequence(der.oid(_QUALIFIER), der.null())
    policy = der.sequence(der.oid(oids.DOMAIN_VALIDATED), der.sequence(qualifier))
    return put(case, oids.CERTIFICATE_POLICIES, der.sequence(policy), critical=True)


@fault("V", "parse", "4.2.1.14")
def pol_inhibit_any_negative(case: Case) -> Case:
    """Its issuing CA inhibits anyPolicy after -1 certificates.

    The number is 0 or more.
    """
    value = der.integer(-1)
    return put(case, oids.INHIBIT_ANY_POLICY, value, critical=True, level=case.intermediate())


@fault("P", "lint", _RESERVED)
def pol_reserved_missing(case: Case) -> Case:
    """It has a policy, and none of those reserved for public CAs.

    Their certificates say how the subject was validated, by just one of them.
    """
    return _policies(case, _POLICY)


@fault("P", "lint", _RESERVED)
def pol_reserved_multiple(case: Case) -> Case:
    """It has two of the policies reserved for public CAs.

    Its domain was validated, or its organization was: it must say one of them.
    """
    return _policies(case, oids.DOMAIN_VALIDATED, oids.ORGANIZATION_VALIDATED)
