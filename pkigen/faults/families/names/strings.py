"""String types of attributes, and texts that look like further attributes (RFC 5280, 4.1.2.4)."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible, common_name
from pkigen.cases.extension_values import put
from pkigen.cases.general_names import dns
from pkigen.faults.registry import fault
from pkigen.model import Attribute

_LOCALITY, _OTHER_HOST = "2.5.4.7", "other-host.test"


def _in_locality(case: Case, tag: int) -> Case:
    attribute = Attribute(_LOCALITY, "K\u00f6ln", tag)
    return case.change(subject=(*case.plan.subject, (attribute,)))


@fault("P", "lint", "4.1.2.4")
def name_bmpstring(case: Case) -> Case:
    """The certificate subject contains a BMPString.

    RFC 5280 reserves this type for names that used it before; linters report it.
    """
    return _in_locality(case, der.BMP_STRING)


@fault("P", "lint", "4.1.2.4")
def name_universalstring(case: Case) -> Case:
    """The certificate subject contains a UniversalString.

    RFC 5280 reserves this type for names that used it before; linters report it.
    """
    return _in_locality(case, der.UNIVERSAL_STRING)


@fault(
    "R",
    "name",
    "RFC 9525 6.3",
    finds=(
        "path:hostname",
        "name-string-types",
    ),
    cves=("CVE-2021-44532", "CVE-2021-44533"),
)
def dn_injection(case: Case) -> Case:
    """The certificate has an organization with the text of a common name in it.

    The text contains the host name; the common name and the SAN are of another host. Programs that split a
    printed name find the host, as Node.js did before 16.13.2. Others report a host name mismatch.
    """
    host = common_name(case.plan.subject)
    if not host:
        raise Impossible("the certificate has no common name")
    case = put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(dns(_OTHER_HOST)))
    return case.with_attribute("O", f"Contoso\nCN={host}").with_attribute("CN", _OTHER_HOST)
