"""Long certification paths (RFC 5280, 6.1, which has no limit of their length)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case
from pkigen.cases.extension_values import put
from pkigen.faults.registry import fault


@fault("V", "path", "6.1")
def chain_long_9(case: Case) -> Case:
    """The certification path has nine CAs between the root and the certificate.

    RFC 5280 does not limit the length of a path; some clients do, for example to eight such CAs.
    """
    return case.with_chain_of(9)


@fault("V", "path", "6.1")
def chain_long_20(case: Case) -> Case:
    """The certification path has 20 CAs between the root and the certificate.

    RFC 5280 does not limit the length of a path; many clients do, for example to 16 certificates.
    """
    return case.with_chain_of(20)


@fault("V", "path", "6.1", finds=("path:other", "path-valid", "chain-of-trust"), cves=("CVE-2024-28835",))
def chain_long_120(case: Case) -> Case:
    """The certification path has 120 CAs between the root and the certificate.

    RFC 5280 does not limit the length of a path; most clients do, and certtool of GnuTLS 3.8.3 and earlier
    crashed. Use fewer CAs.
    """
    return case.with_chain_of(120)


@fault("R", "path", "6.1.4 (l)", finds=("path:path-length", "path-valid", "chain-of-trust"))
def bc_pathlen_intermediate_of_two(case: Case) -> Case:
    """A CA has path length 1, but two CAs follow it in the path.

    The CA next to it does not exceed the limit; the one after that does. Clients report that the path
    length constraint is exceeded.
    """
    limit = der.sequence(der.boolean(True), der.integer(1))
    return put(case.with_chain_of(3), oids.BASIC_CONSTRAINTS, limit, critical=True, level=2)
