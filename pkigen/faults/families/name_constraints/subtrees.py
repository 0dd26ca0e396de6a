"""Name constraints (RFC 5280, 4.2.1.10), and the names below them."""

from __future__ import annotations

from collections.abc import Iterable

from pkigen.asn1 import der, oids
from pkigen.cases.case import Case, Impossible, common_name
from pkigen.cases.extension_values import Level, leave_out, put
from pkigen.cases.general_names import (
    beside,
    directory,
    dns,
    email,
    existing_dns_names,
    ip,
    uri,
    user_principal,
)
from pkigen.faults.registry import fault
from pkigen.model import Attribute

ELSEWHERE = dns("elsewhere.test")
"""A DNS name that is none of the certificate's."""
_NETWORK, _MASK = bytes((192, 0, 2, 0)), bytes((255, 255, 255, 0))
_INSIDE, _OUTSIDE = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 1))
_MANY = 2048


def permitted(*bases: bytes) -> bytes:
    """Return permitted subtrees."""
    return der.tlv(0xA0, *map(der.sequence, bases))


def excluded(*bases: bytes) -> bytes:
    """Return excluded subtrees."""
    return der.tlv(0xA1, *map(der.sequence, bases))


def constrained(case: Case, level: Level, *subtrees: bytes, critical: bool = True) -> Case:
    """Add name constraints to one certificate of the path."""
    return put(case, oids.NAME_CONSTRAINTS, der.sequence(*subtrees), critical=critical, level=level)


def own_names(case: Case) -> Iterable[bytes]:
    """Return subtrees that contain all DNS names of the certificate without a fault."""
    return map(dns, existing_dns_names(case))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_permitted_dns(case: Case) -> Case:
    """The issuing CA certificate permits only another domain.

    Clients report a name outside the permitted subtrees.
    """
    existing_dns_names(case)
    return constrained(case, case.intermediate(), permitted(ELSEWHERE))


@fault("V", "path", "6.1.1 (d)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_permitted_dns_root(case: Case) -> Case:
    """The root certificate permits only another domain.

    Validators that use only the name and key of a trust anchor accept the path; others also apply
    its constraints (RFC 5937 describes how).
    """
    existing_dns_names(case)
    return constrained(case, case.root, permitted(ELSEWHERE))


@fault("R", "path", "6.1.3 (c)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_excluded_dns(case: Case) -> Case:
    """The issuing CA certificate excludes the domain of the certificate.

    Clients report a name inside the excluded subtrees.
    """
    return constrained(case, case.intermediate(), excluded(*own_names(case)))


@fault("V", "path", "6.1.1 (d)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_excluded_dns_root(case: Case) -> Case:
    """The root certificate excludes the domain of the certificate.

    Validators that use only the name and key of a trust anchor accept the path; others also apply
    its constraints (RFC 5937 describes how).
    """
    return constrained(case, case.root, excluded(*own_names(case)))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_dn_permitted_violation(case: Case) -> Case:
    """The issuing CA certificate permits only another organization.

    The subject is outside the permitted subtrees; validators that do not support this name type
    must also reject it.
    """
    _subject(case)
    other = ((Attribute("2.5.4.10", "Elsewhere", der.UTF8_STRING),),)
    return constrained(case, case.intermediate(), permitted(directory(other)))


@fault("R", "path", "6.1.3 (c)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_dn_excluded_violation(case: Case) -> Case:
    """The issuing CA certificate excludes subjects that begin as its own does.

    The first part of the CA's distinguished name is an excluded subtree; clients report an excluded
    name.
    """
    return constrained(case, case.intermediate(), excluded(directory(_subject(case)[:1])))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_email_violation(case: Case) -> Case:
    """The certificate has an email address that its issuing CA does not permit.

    Clients report a name outside the permitted subtrees, although the DNS names are valid.
    """
    changed = beside(case, email("sensor@elsewhere.test"))
    return constrained(changed, case.intermediate(), permitted(email("mail.test")))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_uri_violation(case: Case) -> Case:
    """The certificate has a URI that its issuing CA does not permit.

    Validators that do not support URI constraints must also reject it.
    """
    changed = beside(case, uri("https://elsewhere.test/sensor"))
    return constrained(changed, case.intermediate(), permitted(uri("web.test")))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_ip_violation(case: Case) -> Case:
    """The certificate has an IP address that its issuing CA does not permit.

    The CA permits 192.0.2.0/24, and the certificate contains 198.51.100.1. Clients report a name outside
    the permitted subtrees.
    """
    changed = beside(case, ip(_OUTSIDE))
    return constrained(changed, case.intermediate(), permitted(ip(_NETWORK + _MASK)))


@fault(
    "R",
    "path",
    "4.2.1.10",
    finds=("path:name-constraint", "path-valid", "chain-of-trust", "ca-critical-extensions"),
)
def nc_noncritical_violation(case: Case) -> Case:
    """The issuing CA certificate permits only another domain, without being critical.

    Clients that support name constraints must apply them even if the extension is not critical.
    """
    existing_dns_names(case)
    return constrained(case, case.intermediate(), permitted(ELSEWHERE), critical=False)


@fault("V", "path", "4.2.1.10", finds=("ca-critical-extensions",))
def nc_noncritical_ok(case: Case) -> Case:
    """The issuing CA certificate has name constraints that are not critical.

    The names comply with them. Name constraints must be critical; most validators do not check
    this.
    """
    return constrained(case, case.intermediate(), permitted(*own_names(case)), critical=False)


@fault("V", "parse", "4.2.1.10", finds=("extension-not-empty", "name-constraints"))
def nc_empty(case: Case) -> Case:
    """The issuing CA certificate has name constraints without subtrees.

    At least one of the two lists must be present; some parsers reject the certificate.
    """
    return constrained(case, case.intermediate())


@fault("V", "parse", "4.2.1.10", finds=("name-constraints",))
def nc_empty_subtrees(case: Case) -> Case:
    """The issuing CA certificate has an empty list of permitted subtrees.

    A list must have at least one element; some validators permit nothing, others everything.
    """
    return constrained(case, case.intermediate(), permitted())


def _counted(case: Case, field: bytes) -> Case:
    """The case's own names permitted, each subtree with one of the fields that X.509 alone uses."""
    subtrees = (der.sequence(name, field) for name in own_names(case))
    return constrained(case, case.intermediate(), der.tlv(0xA0, *subtrees))


@fault(
    "V",
    "path",
    "4.2.1.10",
    finds=("path:name-constraint", "path-valid", "chain-of-trust", "name-constraints"),
)
def nc_min_nonzero(case: Case) -> Case:
    """The issuing CA certificate has name constraints with a minimum of 1.

    The minimum must be 0; validators that do not process other values must reject the path.
    """
    return _counted(case, der.tlv(0x80, b"\x01"))


@fault(
    "V",
    "path",
    "4.2.1.10",
    finds=("path:name-constraint", "path-valid", "chain-of-trust", "name-constraints"),
)
def nc_max_present(case: Case) -> Case:
    """The issuing CA certificate has name constraints with a maximum.

    The field must be absent; validators that do not process it must reject the path.
    """
    return _counted(case, der.tlv(0x81, b"\x09"))


@fault("V", "path", "4.2.1.10")
def nc_leading_dot(case: Case) -> Case:
    """The issuing CA certificate permits a DNS domain with a leading dot.

    The form is defined for mailboxes and URIs, not for DNS names; some validators read it as any host of
    the domain, others reject it.
    """
    parents = {name.partition(".")[2]: None for name in existing_dns_names(case)}
    if "" in parents:
        raise Impossible("a DNS name of the certificate is a single label")
    return constrained(case, case.intermediate(), permitted(*(dns(f".{name}") for name in parents)))


@fault(
    "V",
    "parse",
    "4.2.1.10",
    finds=("path:name-constraint", "path-valid", "chain-of-trust", "name-constraints"),
)
def nc_ip_bad_length(case: Case) -> Case:
    """The issuing CA certificate permits an IP address without a mask.

    A range has 8 or 32 bytes; strict parsers reject it. The certificate contains exactly this
    address.
    """
    return constrained(beside(case, ip(_INSIDE)), case.intermediate(), permitted(ip(_INSIDE)))


@fault("V", "parse", "4.2.1.10")
def nc_ip_mask_gap(case: Case) -> Case:
    """The issuing CA certificate permits an IP range with the mask 255.0.255.0.

    The mask is not a CIDR prefix, and many validators reject it; for the others, the address is inside
    the range if compared bit by bit.
    """
    mask = bytes((255, 0, 255, 0))
    return constrained(beside(case, ip(_INSIDE)), case.intermediate(), permitted(ip(_NETWORK + mask)))


@fault("V", "path", "4.2.1.10", finds=("ca-only-extensions",))
def nc_on_leaf(case: Case) -> Case:
    """The certificate has name constraints although it is not a CA.

    Name constraints are allowed only in CA certificates; some clients reject the certificate.
    """
    return constrained(case, None, permitted(*own_names(case)))


@fault("V", "path", "4.2.1.10", finds=("ca-only-extensions",))
def nc_on_leaf_noncritical(case: Case) -> Case:
    """The certificate has name constraints that are not critical, but is not a CA.

    Name constraints are allowed only in CA certificates, as a critical extension. Clients that do not process
    them ignore the extension; few of the others reject the certificate.
    """
    return constrained(case, None, permitted(*own_names(case)), critical=False)


@fault("R", "path", "4.2.1.10", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_othername_excluded(case: Case) -> Case:
    """The certificate has a user principal name, and its issuing CA excludes it.

    Validators that cannot compare names of this type must reject the path.
    """
    name = user_principal("sensor@elsewhere.test")
    return constrained(beside(case, name), case.intermediate(), excluded(name))


@fault("V", "path", "6.1.3 (c)")
def nc_wildcard_vs_excluded(case: Case) -> Case:
    """The certificate has a wildcard that covers a host that its issuing CA excludes.

    RFC 5280 does not define wildcards here; some validators compare the literal name, others all
    hosts.
    """
    domain = f"wild.{existing_dns_names(case)[0]}"
    changed = beside(case, dns(f"*.{domain}"))
    return constrained(changed, case.intermediate(), excluded(dns(f"secret.{domain}")))


@fault(
    "R", "name", "RFC 9525 2", finds=("path:name-constraint", "path-valid", "names-in-san", "chain-of-trust")
)
def nc_cn_only(case: Case) -> Case:
    """The certificate has only a common name, which its issuing CA does not permit.

    The common name must not be used as a host name, so that clients find none. Clients that use it
    nevertheless should apply the constraints of DNS names to it.
    """
    if common_name(case.plan.subject) not in existing_dns_names(case):
        raise Impossible("its common name is not one of its DNS names, or is a wildcard")
    changed = leave_out(case, oids.SUBJECT_ALTERNATIVE_NAME)
    return constrained(changed, case.intermediate(), permitted(ELSEWHERE))


@fault("V", "path", "4.2.1.10", finds=("path:other", "path-valid", "chain-of-trust"))
def nc_dos(case: Case) -> Case:
    """The certificate has 2,048 more names; its issuing CA excludes 2,048 others.

    No name is excluded, but the check may need four million comparisons. RFC 5280 sets no limit;
    some validators set one and reject the path.
    """
    changed = beside(case, *(dns(f"host-{number}.test") for number in range(_MANY)))
    others = (dns(f"excluded-{number}.test") for number in range(_MANY))
    return constrained(changed, case.intermediate(), excluded(*others))


def _subject(case: Case) -> tuple[tuple[Attribute, ...], ...]:
    """The subject, which must not be empty: constraints of directory names pass over an empty one."""
    if not case.plan.subject:
        raise Impossible("the certificate has no subject")
    return case.plan.subject
