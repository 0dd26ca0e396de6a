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
"""Extensions that say what a certificate is for, and for whom."""
_LONGEST_COMMON_NAME = 64


@fault(
    "R",
    "path",
    "6.1.4 (k)",
    finds=("path:not-a-ca", "ca-basic-constraints", "path-valid", "chain-only-authorities", "chain-of-trust"),
)
def bc_ca_false_intermediate(case: Case) -> Case:
    """Its issuing CA's basic constraints say that it is no CA.

    What it issued is issued by nobody who may.
    """
    return put(case, _BC, der.sequence(), critical=True, level=case.intermediate())


@fault(
    "R",
    "path",
    "6.1.4 (k)",
    finds=("path:not-a-ca", "ca-basic-constraints", "path-valid", "chain-only-authorities", "chain-of-trust"),
)
def bc_missing_intermediate(case: Case) -> Case:
    """Its issuing CA has no basic constraints.

    Without them a certificate of version 3 is no CA's.
    """
    return leave_out(case, _BC, case.intermediate())


@fault("V", "path", "4.2.1.9", finds=("ca-basic-constraints", "chain-only-authorities"))
def bc_missing_root(case: Case) -> Case:
    """Its root has no basic constraints.

    Validators that take a trust anchor as name and key do not see it.
    """
    return leave_out(case, _BC, case.root)


@fault("V", "path", "4.2.1.9", finds=("ca-basic-constraints",))
def bc_not_critical_intermediate(case: Case) -> Case:
    """Its issuing CA's basic constraints are not critical.

    They must be; few validators mind.
    """
    return set_critical(case, _BC, False, case.intermediate())


@fault("V", "path", "CABF BR 7.1.2.7", finds=("no-ca",))
def bc_leaf_ca_true(case: Case) -> Case:
    """Its basic constraints call it a CA.

    A server that could issue: some clients refuse to talk to it.
    """
    return put(case, _BC, der.sequence(_CA), critical=True)


@fault("V", "path", "4.2.1.9", finds=("no-path-length",))
def bc_pathlen_nonca(case: Case) -> Case:
    """It has a path length, and is no CA.

    The field has no meaning there.
    """
    return put(case, _BC, der.sequence(der.integer(0)), critical=True)


@fault("V", "path", "4.2.1.9", finds=("path:no-issuer", "path-valid", "chain-of-trust"))
def bc_pathlen_negative(case: Case) -> Case:
    """Its issuing CA's path length is -1.

    The field is 0 or more.
    """
    return put(case, _BC, der.sequence(_CA, der.integer(-1)), critical=True, level=case.intermediate())


@fault("V", "path", "4.2.1.9")
def bc_pathlen_huge(case: Case) -> Case:
    """Its issuing CA's path length does not fit 32 bits.

    Parsers cut it off, refuse it, or read it.
    """
    return put(case, _BC, der.sequence(_CA, der.integer(1 << 40)), critical=True, level=case.intermediate())


@fault("R", "path", "6.1.4 (l)", finds=("path:path-length", "path-valid", "chain-of-trust"))
def bc_pathlen_exceeded(case: Case) -> Case:
    """Its root allows no CA below itself, and there is one.

    The path is longer than the root permits.
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
    ),
)
def bc_malformed(case: Case) -> Case:
    """Its issuing CA's basic constraints are junk.

    A critical extension that cannot be read.
    """
    return put(case, _BC, JUNK, critical=True, level=case.intermediate())


@fault("V", "path", "6.1.4 (l)")
def bc_pathlen_self_issued(case: Case) -> Case:
    """Its issuing CA has a path length of 0, and certified a new key of its own.

    A control: self-issued certificates do not count. Not all validators make the exception.
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
    """Another server's certificate issued it.

    That is no CA's, although a CA issued it: whoever has a certificate could make more.
    """
    host = shortened(f"issuer.{common_name(case.plan.subject) or 'test'}", _LONGEST_COMMON_NAME)
    server = put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(dns(host))).with_attribute("CN", host).plan
    role = tuple(held for held in server.extensions if held.oid in _ROLE)

    def change(plan: CertificatePlan) -> CertificatePlan:
        kept = (held for held in plan.extensions if held.oid not in _ROLE)
        return replace(plan, subject=server.subject, extensions=(*role, *kept))

    return case.change_authority_plan(case.intermediate(), change)
