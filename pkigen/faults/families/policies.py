"""Certificate policies, their mappings and constraints (RFC 5280, 4.2.1.4, 4.2.1.5, 4.2.1.11, 4.2.1.14)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import JUNK, Level, leave_out, put
from pkigen.faults.registry import fault

_POLICY, _QUALIFIER = "1.3.6.1.4.1.55738.99.3", "1.3.6.1.4.1.55738.99.4"
_OTHER_POLICY = "1.3.6.1.4.1.55738.99.7"
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

    The Baseline Requirements require exactly one reserved policy, which states how the subject was
    validated.
    """
    return _policies(case, _POLICY)


@fault("P", "lint", _RESERVED)
def pol_reserved_multiple(case: Case) -> Case:
    """The certificate has two policies that are reserved for public CAs.

    The Baseline Requirements require exactly one: here, both domain and organization validation are
    stated.
    """
    return _policies(case, oids.DOMAIN_VALIDATED, oids.ORGANIZATION_VALIDATED)


@fault(
    "V", "path", "6.1.3 (f)", finds=("path:policy", "path-valid", "chain-of-trust", "ca-critical-extensions")
)
def pol_constraints_noncritical_unmet(case: Case) -> Case:
    """The certificate has no policy; its CA requires one, without being critical.

    Policy constraints must be critical. Clients that process them report a policy error; others ignore the
    extension, because it is not critical.
    """
    changed = _policies(case, oids.ANY_POLICY, level=case.intermediate())
    changed = leave_out(changed, oids.CERTIFICATE_POLICIES)
    return _constraints(changed, der.tlv(_REQUIRE_EXPLICIT, b"\x00"), critical=False)


@fault("R", "path", "6.1.3 (d)(2)", finds=("path:policy", "path-valid", "chain-of-trust"))
def pol_inhibit_any_unmet(case: Case) -> Case:
    """The certificate has only anyPolicy, which its issuing CA inhibits.

    The CA also requires a policy. Clients that process policies report a policy error.
    """
    changed = _policies(case, _POLICY, level=case.intermediate())
    inhibited = put(
        _policies(changed, oids.ANY_POLICY), oids.INHIBIT_ANY_POLICY, der.integer(0), critical=True, level=0
    )
    return _constraints(inhibited, der.tlv(_REQUIRE_EXPLICIT, b"\x00"))


@fault("R", "path", "6.1.4 (b)(2)", finds=("path:policy", "path-valid", "chain-of-trust"))
def pol_mapping_inhibited(case: Case) -> Case:
    """A subordinate CA maps a policy, although the CA above it inhibits mappings.

    The CA above also requires a policy, and the certificate has only the mapped one. Clients that process
    policies report a policy error.
    """
    changed = _policies(case.with_subordinate(), _POLICY, level=1)
    fields = der.tlv(_REQUIRE_EXPLICIT, b"\x00"), der.tlv(_INHIBIT_MAPPING, b"\x00")
    changed = put(changed, oids.POLICY_CONSTRAINTS, der.sequence(*fields), critical=True, level=1)
    changed = _policies(changed, _POLICY, level=0)
    changed = put(changed, oids.POLICY_MAPPINGS, _mappings((_POLICY, _OTHER_POLICY)), critical=True, level=0)
    return _policies(changed, _OTHER_POLICY)


@fault("V", "path", "6.1.4 (b)", cves=("CVE-2023-0464",))
def pol_tree_exponential(case: Case, *, authorities: int = 14) -> Case:
    """The path has {authorities} CAs that map each of two policies to both of them.

    The path is valid, but the tree of RFC 5280 doubles with each CA; validators that build it run out of
    time or memory, for example Java with 20 CAs. RFC 9618 describes a graph instead.
    """
    case = _policies(case.with_chain_of(authorities), _POLICY, _OTHER_POLICY)
    pairs = [(one, other) for one in (_POLICY, _OTHER_POLICY) for other in (_POLICY, _OTHER_POLICY)]
    for level in range(authorities):
        case = _policies(case, _POLICY, _OTHER_POLICY, level=level)
        case = put(case, oids.POLICY_MAPPINGS, _mappings(*pairs), critical=True, level=level)
    required = der.sequence(der.tlv(_REQUIRE_EXPLICIT, b"\x00"))
    return put(case, oids.POLICY_CONSTRAINTS, required, critical=True, level=authorities - 1)


@fault(
    "R",
    "parse",
    "4.2",
    finds=("path:malformed", "extension-readable", "policies", "path-valid", "chain-of-trust"),
    cves=("CVE-2023-0465",),
)
def pol_critical_leaf_malformed(case: Case) -> Case:
    """The certificate has critical certificate policies that cannot be decoded.

    Clients must reject it. OpenSSL before 3.0.9 ignored the extension, and with it all other policies of the
    path.
    """
    return put(case, oids.CERTIFICATE_POLICIES, JUNK, critical=True)


@fault(
    "V",
    "parse",
    "4.2.1.4",
    finds=("path:malformed", "extension-readable", "policies", "path-valid", "chain-of-trust"),
)
def policy_malformed(case: Case) -> Case:
    """The certificate has certificate policies that cannot be decoded.

    The extension is not critical. Parsers that decode all extensions reject the certificate; others do not
    notice it.
    """
    return put(case, oids.CERTIFICATE_POLICIES, JUNK)


def _mappings(*pairs: tuple[str, str]) -> bytes:
    return der.sequence(*(der.sequence(der.oid(one), der.oid(other)) for one, other in pairs))
