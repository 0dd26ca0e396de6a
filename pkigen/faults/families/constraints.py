"""Basic constraints and path length (RFC 5280, 4.2.1.9)."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, common_name, shortened
from pkigen.cases.extension_values import (
    JUNK,
    leave_out,
    put,
    set_critical,
)
from pkigen.cases.general_names import dns
from pkigen.faults.registry import fault
from pkigen.model import CertificatePlan

_BC = oids.BASIC_CONSTRAINTS
_CA = der.boolean(True)
_ROLE = (_BC, oids.KEY_USAGE, oids.EXTENDED_KEY_USAGE, oids.SUBJECT_ALTERNATIVE_NAME)
"""Extensions that define the purposes and names of a certificate."""
_LONGEST_COMMON_NAME = 64


@fault(
    "R",
    "path",
    "6.1.4 (k)",
    finds=("path:not-a-ca", "ca-basic-constraints", "path-valid", "chain-only-authorities", "chain-of-trust"),
)
def bc_ca_false_intermediate(case: Case) -> Case:
    """The issuing CA certificate has basic constraints with CA set to FALSE.

    Clients report an invalid CA certificate.
    """
    return put(case, _BC, der.sequence(), critical=True, level=case.intermediate())


@fault(
    "R",
    "path",
    "6.1.4 (k)",
    finds=("path:not-a-ca", "ca-basic-constraints", "path-valid", "chain-only-authorities", "chain-of-trust"),
)
def bc_missing_intermediate(case: Case) -> Case:
    """The issuing CA certificate has no basic constraints.

    Clients report an invalid CA certificate: a version 3 CA certificate requires them.
    """
    return leave_out(case, _BC, case.intermediate())


@fault("V", "path", "4.2.1.9", finds=("ca-basic-constraints", "chain-only-authorities"))
def bc_missing_root(case: Case) -> Case:
    """The root certificate has no basic constraints.

    Validators that use only the name and key of a trust anchor accept it; others report an invalid
    CA.
    """
    return leave_out(case, _BC, case.root)


@fault("V", "path", "4.2.1.9", finds=("ca-basic-constraints",))
def bc_not_critical_intermediate(case: Case) -> Case:
    """The issuing CA certificate has basic constraints that are not critical.

    They must be critical; few validators check this.
    """
    return set_critical(case, _BC, False, case.intermediate())


@fault("V", "path", "4.2.1.9", finds=("ca-basic-constraints",))
def bc_not_critical_root(case: Case) -> Case:
    """The root certificate has basic constraints that are not critical.

    They must be critical; few validators check this, and those that use only the name and key of a trust
    anchor never do.
    """
    return set_critical(case, _BC, False, case.root)


@fault("A", "path", "4.2.1.9")
def bc_leaf_missing(case: Case) -> Case:
    """The certificate has no basic constraints.

    Only CA certificates require them; clients must accept the certificate (control case).
    """
    return leave_out(case, _BC)


@fault("A", "path", "6.1.4 (l)")
def bc_pathlen_boundary_ok(case: Case) -> Case:
    """An intermediate CA has path length 1, and exactly one CA follows it in the path.

    The limit is not exceeded: clients must accept the path (control case).
    """
    limit = der.sequence(_CA, der.integer(1))
    return put(case.with_subordinate(), _BC, limit, critical=True, level=1)


@fault("A", "path", "6.1.4 (m)")
def bc_pathlen_increases_ok(case: Case) -> Case:
    """A subordinate CA has a longer path length than the CA above it.

    The longer limit has no effect: the remaining length is the smaller one, and the path does not exceed it.
    Clients must accept the path (control case).
    """
    case = put(case.with_subordinate(), _BC, der.sequence(_CA, der.integer(1)), critical=True, level=1)
    return put(case, _BC, der.sequence(_CA, der.integer(5)), critical=True, level=0)


@fault("V", "path", "6.1.4 (l)", finds=("no-ca", "key-usage-no-certsign"))
def bc_pathlen_leaf_ca(case: Case) -> Case:
    """The server presents a CA certificate below a CA with path length 0.

    The last certificate of a path does not count for the limit, so that RFC 5280 permits the path. Some
    clients count it, others reject any CA certificate as a server certificate.
    """
    limit = der.sequence(_CA, der.integer(0))
    case = put(case, _BC, limit, critical=True, level=case.intermediate())
    usages = der.named_bits(("digitalSignature", "keyCertSign"), oids.KEY_USAGES)
    return put(put(case, _BC, limit, critical=True), oids.KEY_USAGE, usages, critical=True)


@fault("V", "path", "CABF BR 7.1.2.7.8", finds=("no-ca", "key-usage-no-certsign"))
def bc_leaf_ca_true(case: Case) -> Case:
    """The certificate is a CA certificate: CA is TRUE, and its key may sign others.

    An attacker who obtains the server key can issue certificates. Some clients reject a CA
    certificate as a server certificate.
    """
    usages = der.named_bits(("digitalSignature", "keyCertSign"), oids.KEY_USAGES)
    return put(put(case, _BC, der.sequence(_CA), critical=True), oids.KEY_USAGE, usages, critical=True)


@fault("V", "path", "CABF BR 7.1.2.7.8", finds=("no-ca",))
def bc_leaf_ca_true_no_certsign(case: Case) -> Case:
    """The certificate has CA set to TRUE, but no key usage keyCertSign.

    The key usage does not allow it to issue certificates. Some clients reject it as a server
    certificate nevertheless.
    """
    return put(case, _BC, der.sequence(_CA), critical=True)


@fault("V", "path", "4.2.1.9", finds=("no-path-length",))
def bc_pathlen_nonca(case: Case) -> Case:
    """The certificate has a path length although it is not a CA.

    The field is allowed only in CA certificates; strict parsers reject the certificate.
    """
    return put(case, _BC, der.sequence(der.integer(0)), critical=True)


@fault("V", "path", "4.2.1.9", finds=("path:no-issuer", "path-valid", "chain-of-trust", "ca-path-length"))
def bc_pathlen_negative(case: Case) -> Case:
    """The issuing CA certificate has a path length of -1.

    The path length must be 0 or greater; some parsers reject it.
    """
    return put(case, _BC, der.sequence(_CA, der.integer(-1)), critical=True, level=case.intermediate())


@fault("V", "path", "4.2.1.9")
def bc_pathlen_huge(case: Case) -> Case:
    """The issuing CA certificate has a path length that does not fit in 32 bits.

    Parsers truncate the value, reject it, or read it correctly.
    """
    return put(case, _BC, der.sequence(_CA, der.integer(1 << 40)), critical=True, level=case.intermediate())


@fault("R", "path", "6.1.4 (l)", finds=("path:path-length", "path-valid", "chain-of-trust"))
def bc_pathlen_exceeded(case: Case) -> Case:
    """An intermediate CA has path length 0, but another CA follows it in the path.

    Clients report that the path length constraint is exceeded.
    """
    return put(case.with_subordinate(), _BC, der.sequence(_CA, der.integer(0)), critical=True, level=1)


@fault("V", "path", "6.1.1 (d)", finds=("path:path-length", "path-valid", "chain-of-trust"))
def bc_pathlen_exceeded_root(case: Case) -> Case:
    """The root certificate allows no CA below it, but the path contains one.

    Validators that use only the name and key of a trust anchor accept the path; others report that
    the path length constraint is exceeded.
    """
    case.intermediate()
    return put(case, _BC, der.sequence(_CA, der.integer(0)), critical=True, level=case.root)


@fault(
    "R",
    "parse",
    "4.2.1.9",
    finds=(
        "path:no-issuer",
        "ca-basic-constraints",
        "path-valid",
        "chain-only-authorities",
        "chain-of-trust",
        "der-encoding",
        "extension-readable",
        "no-path-length",
        "ca-path-length",
    ),
)
def bc_malformed(case: Case) -> Case:
    """The issuing CA certificate has basic constraints that cannot be decoded.

    Clients reject it, because they cannot read a critical extension.
    """
    return put(case, _BC, JUNK, critical=True, level=case.intermediate())


@fault("V", "path", "6.1.4 (l)")
def bc_pathlen_self_issued(case: Case) -> Case:
    """The issuing CA has path length 0 and issued itself a certificate for a new key.

    Validators should accept it, because self-issued certificates do not count; some do not make
    this exception.
    """
    limit = der.sequence(_CA, der.integer(0))
    return put(case, _BC, limit, critical=True, level=case.intermediate()).with_self_issued()


@fault(
    "R",
    "path",
    "6.1.4 (k)",
    finds=(
        "path:not-a-ca",
        "ca-basic-constraints",
        "ca-key-usage",
        "ca-crl-sign",
        "path-valid",
        "chain-only-authorities",
        "chain-of-trust",
    ),
)
def leaf_issued_by_leaf(case: Case) -> Case:
    """The certificate was issued by another server certificate, which is not a CA.

    Clients report an invalid CA certificate.
    """
    return issued_by_server(case)


def issued_by_server(case: Case) -> Case:
    """Replace the issuing CA by a server certificate, which is not a CA."""
    host = shortened(f"issuer.{common_name(case.plan.subject) or 'test'}", _LONGEST_COMMON_NAME)
    server = put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(dns(host))).with_attribute("CN", host).plan
    role = tuple(one for one in server.extensions if one.oid in _ROLE)

    def change(plan: CertificatePlan) -> CertificatePlan:
        others = (one for one in plan.extensions if one.oid not in _ROLE)
        return replace(plan, subject=server.subject, extensions=(*role, *others))

    return case.change_authority_plan(case.intermediate(), change)
