"""Name constraints with which all names comply, of several CAs, and of names that are easily overlooked."""

from __future__ import annotations

from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put
from pkigen.cases.general_names import beside, directory, dns, existing_dns_names, ip
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
_EVERY_IPV4, _EVERY_IPV6 = bytes(8), bytes(32)
_IPV4, _IPV6 = bytes((192, 0, 2, 1)), bytes.fromhex("20010db8000000000000000000000001")
_OTHER_ORGANIZATION = ((Attribute("2.5.4.10", "Elsewhere", der.UTF8_STRING),),)


@fault("A", "path", "6.1.3 (b)")
def nc_permitted_ok(case: Case) -> Case:
    """The issuing CA certificate permits the domain of the certificate.

    The names comply with the critical name constraints; clients that process them must accept the path
    (control case).
    """
    return constrained(case, case.intermediate(), permitted(*own_names(case)))


@fault("A", "path", "6.1.3 (c)")
def nc_excluded_other_ok(case: Case) -> Case:
    """The issuing CA certificate excludes another domain.

    No name of the certificate is excluded; clients that process name constraints must accept the path
    (control case).
    """
    existing_dns_names(case)
    return constrained(case, case.intermediate(), excluded(ELSEWHERE))


@fault("A", "path", "4.2.1.10")
def nc_other_type_ok(case: Case) -> Case:
    """The issuing CA certificate permits only email addresses of another domain.

    The certificate has no email address, and name constraints restrict only names of their own type:
    clients that process them must accept the path (control case).
    """
    existing_dns_names(case)
    return constrained(case, case.intermediate(), permitted(der.tlv(0x81, b"elsewhere.test")))


@fault("R", "path", "6.1.3 (b)", finds=_VIOLATED)
def nc_second_name(case: Case) -> Case:
    """The certificate has a second DNS name that its issuing CA does not permit.

    The CA permits the first name. Clients must check all names, not only the one that they connect to.
    """
    allowed = permitted(*own_names(case))
    return constrained(beside(case, ELSEWHERE), case.intermediate(), allowed)


@fault("R", "path", "6.1.3 (b)", finds=_VIOLATED)
def nc_subca_widens(case: Case) -> Case:
    """A subordinate CA permits a domain that the CA above it does not permit.

    A CA cannot permit more than the CAs above it: clients report a name outside the permitted subtrees.
    """
    allowed = permitted(ELSEWHERE, *own_names(case))
    case = constrained(case.with_subordinate(), 1, permitted(ELSEWHERE))
    return constrained(case, 0, allowed)


@fault("R", "path", "6.1.3 (c)", finds=_VIOLATED)
def nc_permitted_and_excluded(case: Case) -> Case:
    """The issuing CA certificate permits a domain, and excludes a host in it.

    Excluded subtrees take precedence over permitted ones; clients report an excluded name.
    """
    parents = {name.partition(".")[2]: None for name in existing_dns_names(case)}
    if "" in parents:
        raise Impossible("a DNS name of the certificate is a single label")
    inside = permitted(*map(dns, parents))
    return constrained(case, case.intermediate(), inside, excluded(*own_names(case)))


@fault("R", "path", "6.1.3 (b)", finds=_VIOLATED)
def nc_intermediate_san_violated(case: Case) -> Case:
    """A subordinate CA has a DNS name that the CA above it does not permit.

    The names of the certificate comply. Name constraints apply to all certificates below the CA, not only
    to the last one: clients report a name outside the permitted subtrees.
    """
    allowed = permitted(*own_names(case))
    case = constrained(case.with_subordinate(), 1, allowed)
    return put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(ELSEWHERE), level=0)


@fault("R", "path", "6.1.3 (c)", finds=_VIOLATED)
def nc_excluded_second_name(case: Case) -> Case:
    """The certificate has a second DNS name that its issuing CA excludes.

    The CA does not exclude the first name. Clients must check all names, not only the one that they
    connect to.
    """
    existing_dns_names(case)
    return constrained(beside(case, ELSEWHERE), case.intermediate(), excluded(ELSEWHERE))


@fault("R", "path", "6.1.3 (b)", finds=_VIOLATED)
def nc_self_issued_last(case: Case) -> Case:
    """The certificate has its issuer's name and a DNS name that a CA does not permit.

    Name constraints do not apply to self-issued certificates, except to the last one of the path. Clients
    report a name outside the permitted subtrees.
    """
    existing_dns_names(case)
    if not case.plan.subject:
        raise Impossible("the certificate has no subject")
    case = constrained(case.with_subordinate(), 1, permitted(ELSEWHERE))
    name = case.plan.subject
    case = case.change_authority_plan(0, lambda plan: replace(plan, subject=name))
    return case.change(issuer=name)


@fault("A", "path", "6.1.4 (g)")
def nc_ca_outside_own_ok(case: Case) -> Case:
    """The issuing CA certificate has a DNS name outside its own permitted subtrees.

    Constraints apply to the certificates below the CA, not to that of the CA. The names of the certificate
    comply: clients that process name constraints must accept the path (control case).
    """
    case = constrained(case, case.intermediate(), permitted(*own_names(case)))
    return put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(ELSEWHERE), level=0)


@fault("R", "path", "6.1.3 (c)", finds=_VIOLATED)
def nc_ip_excluded_all(case: Case) -> Case:
    """The certificate has an IPv4 address; its issuing CA excludes 0.0.0.0/0.

    CAs for DNS names only exclude IP addresses in this way. Clients report an excluded name.
    """
    return constrained(beside(case, ip(_IPV4)), case.intermediate(), excluded(ip(_EVERY_IPV4)))


@fault("R", "path", "6.1.3 (c)", finds=_VIOLATED)
def nc_ip6_excluded_all(case: Case) -> Case:
    """The certificate has an IPv6 address; its issuing CA excludes ::/0.

    CAs for DNS names only exclude IP addresses in this way. Clients report an excluded name.
    """
    return constrained(beside(case, ip(_IPV6)), case.intermediate(), excluded(ip(_EVERY_IPV6)))


@fault("R", "path", "6.1.3 (b)", finds=_VIOLATED)
def nc_dn_in_san(case: Case) -> Case:
    """The certificate has a SAN directory name that its issuing CA does not permit.

    The CA permits the subject. Constraints on directory names apply to the subject and to such
    alternative names: clients report a name outside the permitted subtrees.
    """
    if not case.plan.subject:
        raise Impossible("the certificate has no subject")
    inside = permitted(directory(case.plan.subject[:1]))
    return constrained(beside(case, directory(_OTHER_ORGANIZATION)), case.intermediate(), inside)


@fault("V", "path", "7.1")
def nc_dn_string_type(case: Case) -> Case:
    """The issuing CA certificate permits the subject, as another string type.

    The subject has a UTF8String, the constraint a PrintableString. RFC 5280 treats equal texts as equal
    names; validators that compare bytes report a name outside the permitted subtrees.
    """
    rdns = list[tuple[Attribute, ...]]()
    for rdn in case.plan.subject:
        rdns.append(tuple(_in_other_type(one) for one in rdn))
        if rdns[-1] != rdn:
            return constrained(case, case.intermediate(), permitted(directory(tuple(rdns))))
    raise Impossible("no attribute of its subject can have another string type")


def _in_other_type(attribute: Attribute) -> Attribute:
    types = {der.UTF8_STRING: der.PRINTABLE_STRING, der.PRINTABLE_STRING: der.UTF8_STRING}
    value = attribute.value
    if attribute.oid == "2.5.4.6" or not isinstance(value, str) or not value.replace(" ", "").isalnum():
        return attribute
    return Attribute(attribute.oid, value, types.get(attribute.tag, attribute.tag))
