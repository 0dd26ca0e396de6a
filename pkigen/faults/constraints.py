"""Basic constraints and path length (RFC 5280, 4.2.1.9)."""

from __future__ import annotations

from pkigen import der, oids
from pkigen.faults.case import Case
from pkigen.faults.extension_values import JUNK, leave_out, put, set_critical
from pkigen.faults.registry import fault

_BC = oids.BASIC_CONSTRAINTS
_CA = der.boolean(True)


@fault("R", "path", "6.1.4 (k)")
def bc_ca_false_intermediate(case: Case) -> Case:
    """Its issuing CA's basic constraints say that it is no CA.

    What it issued is issued by nobody who may.
    """
    return put(case, _BC, der.sequence(), critical=True, level=case.intermediate())


@fault("R", "path", "6.1.4 (k)")
def bc_missing_intermediate(case: Case) -> Case:
    """Its issuing CA has no basic constraints.

    Without them a certificate of version 3 is no CA's.
    """
    return leave_out(case, _BC, case.intermediate())


@fault("V", "path", "4.2.1.9")
def bc_missing_root(case: Case) -> Case:
    """Its root has no basic constraints.

    Validators that take a trust anchor as name and key do not see it.
    """
    return leave_out(case, _BC, case.root)


@fault("V", "path", "4.2.1.9")
def bc_not_critical_intermediate(case: Case) -> Case:
    """Its issuing CA's basic constraints are not critical.

    They must be; few validators mind.
    """
    return set_critical(case, _BC, False, case.intermediate())


@fault("V", "path", "CABF BR 7.1.2.7")
def bc_leaf_ca_true(case: Case) -> Case:
    """Its basic constraints call it a CA.

    A server that could issue: some clients refuse to talk to it.
    """
    return put(case, _BC, der.sequence(_CA), critical=True)


@fault("V", "path", "4.2.1.9")
def bc_pathlen_nonca(case: Case) -> Case:
    """It has a path length, and is no CA.

    The field has no meaning there.
    """
    return put(case, _BC, der.sequence(der.integer(0)), critical=True)


@fault("V", "path", "4.2.1.9")
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


@fault("R", "path", "6.1.4 (l)")
def bc_pathlen_exceeded(case: Case) -> Case:
    """Its root allows no CA below itself, and there is one.

    The path is longer than the root permits.
    """
    case.intermediate()
    return put(case, _BC, der.sequence(_CA, der.integer(0)), critical=True, level=case.root)


@fault("R", "parse", "4.2.1.9")
def bc_malformed(case: Case) -> Case:
    """Its issuing CA's basic constraints are junk.

    A critical extension that cannot be read.
    """
    return put(case, _BC, JUNK, critical=True, level=case.intermediate())
