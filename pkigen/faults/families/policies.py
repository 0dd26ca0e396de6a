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
    """The certificate has no policy, although its issuing CA requires one.

    Clients report a policy error; those that do not process policies must reject the critical
    policy constraints.
    """
    changed = _policies(case, oids.ANY_POLICY, level=case.intermediate())
    changed = leave_out(changed, oids.CERTIFICATE_POLICIES)
    return _constraints(changed, der.tlv(_REQUIRE_EXPLICIT, b"\x00"))


@fault("P", "lint", "4.2.1.11", finds=("ca-critical-extensions",))
def pol_constraints_noncritical(case: Case) -> Case:
    """The issuing CA certificate has policy constraints that are not critical.

    They must be critical; linters report it. They inhibit policy mappings, and the path has none, so
    that path validators accept it.
    """
    return _constraints(case, der.tlv(_INHIBIT_MAPPING, b"\x00"), critical=False)


@fault("V", "parse", "4.2.1.11", finds=("extension-not-empty", "path:policy", "path-valid", "chain-of-trust"))
def pol_constraints_empty(case: Case) -> Case:
    """The issuing CA certificate has empty policy constraints.

    At least one field must be present; RFC 5280 leaves the behavior of clients undefined.
    """
    return _constraints(case)


@fault("R", "path", "6.1.4 (a)", finds=("path:policy", "path-valid", "chain-of-trust", "ca-policy-mappings"))
def pol_mapping_any(case: Case) -> Case:
    """The issuing CA certificate maps a policy to anyPolicy.

    anyPolicy must not be mapped; validators that process policies reject the path.
    """
    changed = _policies(case, _POLICY, level=case.intermediate())
    value = der.sequence(der.sequence(der.oid(_POLICY), der.oid(oids.ANY_POLICY)))
    return put(changed, oids.POLICY_MAPPINGS, value, critical=True, level=case.intermediate())


@fault("V", "parse", "4.2.1.4", finds=("path:policy", "path-valid", "chain-of-trust", "policies"))
def pol_duplicate_oid(case: Case) -> Case:
    """The certificate contains the same policy twice.

    A policy must occur only once; some parsers reject the extension.
    """
    return _policies(case, oids.DOMAIN_VALIDATED, oids.DOMAIN_VALIDATED)


@fault("V", "path", "4.2.1.4", finds=("extension-not-empty",))
def pol_empty(case: Case) -> Case:
    """The certificate has certificate policies without any policy.

    At least one policy must be present: linters report it, and some parsers reject the certificate.
    """
    return _policies(case)


@fault("V", "path", "4.2.1.4")
def pol_critical_unknown_qualifier(case: Case) -> Case:
    """The certificate has critical policies with an unknown qualifier.

    Validators that cannot interpret a critical extension, including its qualifiers, must reject the
    certificate.
    """
    qualifier = der.sequence(der.oid(_QUALIFIER), der.null())
    policy = der.sequence(der.oid(oids.DOMAIN_VALIDATED), der.sequence(qualifier))
    return put(case, oids.CERTIFICATE_POLICIES, der.sequence(policy), critical=True)


@fault("V", "parse", "4.2.1.14", finds=())
def pol_inhibit_any_negative(case: Case) -> Case:
    """The issuing CA certificate has an inhibitAnyPolicy value of -1.

    The value must be 0 or greater; some parsers reject it.
    """
    value = der.integer(-1)
    return put(case, oids.INHIBIT_ANY_POLICY, value, critical=True, level=case.intermediate())


@fault("P", "lint", _RESERVED)
def pol_reserved_missing(case: Case) -> Case:
    """The certificate has a policy, but none that is reserved for public CAs.

    The Baseline Requirements demand exactly one reserved policy, which states how the subject was
    validated.
    """
    return _policies(case, _POLICY)


@fault("P", "lint", _RESERVED)
def pol_reserved_multiple(case: Case) -> Case:
    """The certificate has two policies that are reserved for public CAs.

    The Baseline Requirements demand exactly one: domain or organization validation.
    """
    return _policies(case, oids.DOMAIN_VALIDATED, oids.ORGANIZATION_VALIDATED)
