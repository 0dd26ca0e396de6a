"""Which names a subtree covers: addresses, mailboxes, directory names, malformed and self-issued ones."""

from __future__ import annotations

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.cases.general_names import beside, directory, dns, email, existing_dns_names, ip, user_principal
from pkigen.faults.families.name_constraints.subtrees import (
    ELSEWHERE,
    constrained,
    excluded,
    own_names,
    permitted,
)
from pkigen.faults.registry import fault
from pkigen.model import Attribute

_VIOLATED = ("path:name-constraint", "path-valid", "chain-of-trust")
_ADDRESS, _RANGE = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 0, 255, 255, 255, 0))
_ADDRESS_6 = bytes.fromhex("20010db8000000000000000000000001")
_RANGE_6 = bytes.fromhex("20010db8" + 12 * "00" + "ffffffff" + 12 * "00")
_OTHER_ORGANIZATION = ((Attribute("2.5.4.10", "Elsewhere", der.UTF8_STRING),),)


@fault("A", "path", "6.1.3 (b)")
def nc_ip_ok(case: Case) -> Case:
    """The certificate has an IPv4 address that its issuing CA permits.

    The CA permits 192.0.2.0/24, and the certificate contains 192.0.2.1; clients that process name constraints
    must accept the path (control case).
    """
    return constrained(beside(case, ip(_ADDRESS)), case.intermediate(), permitted(ip(_RANGE)))


@fault("A", "path", "6.1.3 (b)")
def nc_ip6_ok(case: Case) -> Case:
    """The certificate has an IPv6 address that its issuing CA permits.

    The CA permits 2001:db8::/32, and the certificate contains 2001:db8::1; clients that process name
    constraints must accept the path (control case).
    """
    return constrained(beside(case, ip(_ADDRESS_6)), case.intermediate(), permitted(ip(_RANGE_6)))


@fault("R", "path", "6.1.3 (c)", finds=_VIOLATED)
def nc_ip_excluded(case: Case) -> Case:
    """The certificate has an IPv4 address in a range that its issuing CA excludes.

    The CA excludes 192.0.2.0/24, and the certificate contains 192.0.2.1. Clients report an excluded name.
    """
    return constrained(beside(case, ip(_ADDRESS)), case.intermediate(), excluded(ip(_RANGE)))


@fault("V", "parse", "4.2.1.10", finds=("name-constraints", *_VIOLATED))
def nc_ip6_bad_length(case: Case) -> Case:
    """The issuing CA certificate permits an IPv6 address without a mask.

    A range has 8 or 32 bytes; strict parsers reject it. The certificate contains exactly this address.
    """
    return constrained(beside(case, ip(_ADDRESS_6)), case.intermediate(), permitted(ip(_ADDRESS_6)))


@fault("A", "path", "6.1.3 (b)")
def nc_dn_permitted_ok(case: Case) -> Case:
    """The issuing CA permits subjects that begin as that of the certificate.

    The subject complies with the critical name constraints; clients that process them must accept the path
    (control case).
    """
    return constrained(case, case.intermediate(), permitted(directory(_beginning(case))))


@fault("R", "path", "4.2.1.10", finds=_VIOLATED)
def nc_dn_subject_mismatch(case: Case) -> Case:
    """The issuing CA certificate permits the SAN directory name, but not the subject.

    Constraints on directory names also apply to a subject that is not empty: clients report a name
    outside the permitted subtrees.
    """
    _beginning(case)
    changed = beside(case, directory(_OTHER_ORGANIZATION))
    return constrained(changed, case.intermediate(), permitted(directory(_OTHER_ORGANIZATION)))


def _beginning(case: Case) -> tuple[tuple[Attribute, ...], ...]:
    if not case.plan.subject:
        raise Impossible("the certificate has no subject")
    return case.plan.subject[:1]


@fault("R", "path", "6.1.3 (b)", finds=_VIOLATED)
def nc_subca_narrows(case: Case) -> Case:
    """A subordinate CA permits only one of the domains that the CA above it permits.

    The certificate is for the other one: its names must be permitted by each CA. Clients report a name
    outside the permitted subtrees.
    """
    allowed = permitted(ELSEWHERE, *own_names(case))
    case = constrained(case.with_subordinate(), 1, allowed)
    return constrained(case, 0, permitted(ELSEWHERE))


@fault("V", "path", "6.1.3 (b)")
def nc_self_issued_ok(case: Case) -> Case:
    """A self-issued CA certificate has a DNS name that the CA does not permit.

    Name constraints do not apply to self-issued certificates, except to the last one of the path, and the
    names of the certificate comply: clients should accept the path, but many reject it.
    """
    allowed = permitted(*own_names(case))
    case = constrained(case.with_self_issued(), 1, allowed)
    return put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(ELSEWHERE), level=0)


@fault("R", "path", "4.2.1.10", finds=("name-constraints", *_VIOLATED))
def nc_dns_wildcard(case: Case) -> Case:
    """The issuing CA certificate permits a DNS domain with an asterisk.

    A constraint contains all names below it without an asterisk. Clients compare it as a character and report
    a name outside the permitted subtrees, or report a malformed constraint.
    """
    wildcards = (dns(f"*.{name.partition('.')[2]}") for name in existing_dns_names(case))
    return constrained(case, case.intermediate(), permitted(*wildcards))


@fault("V", "parse", "4.2.1.10")
def nc_email_malformed(case: Case) -> Case:
    """The issuing CA certificate permits a malformed email address.

    It has two at signs. The certificate has no email address: validators that parse only what they need
    accept the path.
    """
    existing_dns_names(case)
    return constrained(case, case.intermediate(), permitted(email("invalid@invalid@mail.test")))


@fault("A", "path", "4.2.1.10")
def nc_email_exact_ok(case: Case) -> Case:
    """The certificate has the one mailbox that its issuing CA permits.

    A constraint on email addresses can be a mailbox; clients that process name constraints must accept the
    path (control case).
    """
    mailbox = email("sensor@mail.test")
    return constrained(beside(case, mailbox), case.intermediate(), permitted(mailbox))


@fault("A", "path", "4.2.1.10")
def nc_email_host_ok(case: Case) -> Case:
    """The certificate has a mailbox on the host that its issuing CA permits.

    A constraint that is a host name contains all mailboxes on this host; clients that process name
    constraints must accept the path (control case).
    """
    changed = beside(case, email("sensor@mail.test"))
    return constrained(changed, case.intermediate(), permitted(email("mail.test")))


@fault("R", "path", "4.2.1.10", finds=_VIOLATED)
def nc_email_asterisk(case: Case) -> Case:
    """The issuing CA certificate permits a mailbox that is an asterisk.

    In a constraint, the asterisk is a character like others, and *@mail.test permits only this mailbox.
    Clients report a name outside the permitted subtrees.
    """
    changed = beside(case, email("sensor@mail.test"))
    return constrained(changed, case.intermediate(), permitted(email("*@mail.test")))


@fault("V", "path", "4.2.1.6", finds=("san-syntax", "name-syntax"))
def nc_permitted_malformed_dns(case: Case) -> Case:
    """The certificate has a DNS name with a leading dot in a permitted domain.

    The name is malformed: whether the constraint permits it is not defined, and some validators reject it.
    """
    allowed = permitted(*own_names(case))
    first = existing_dns_names(case)[0]
    return constrained(beside(case, dns(f".{first}")), case.intermediate(), allowed)


@fault("V", "path", "4.2.1.6", finds=("san-syntax", "name-syntax", *_VIOLATED))
def nc_permitted_malformed_ip(case: Case) -> Case:
    """The certificate has a permitted address range as its IP address.

    An address in a certificate has 4 or 16 bytes, this one has 8; some validators reject it.
    """
    return constrained(beside(case, ip(_RANGE)), case.intermediate(), permitted(ip(_RANGE)))


@fault("A", "path", "4.2.1.10")
def nc_othername_absent_ok(case: Case) -> Case:
    """The issuing CA excludes a user principal name; the certificate has none.

    Validators that do not support constraints on other names need not reject a path without such names
    (control case).
    """
    existing_dns_names(case)
    return constrained(case, case.intermediate(), excluded(user_principal("nobody@mail.test")))
