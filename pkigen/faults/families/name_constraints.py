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
    held_dns_names,
    ip,
    uri,
    user_principal,
)
from pkigen.faults.registry import fault
from pkigen.model import Attribute

_ELSEWHERE = dns("elsewhere.test")
_NETWORK, _MASK = bytes((192, 0, 2, 0)), bytes((255, 255, 255, 0))
_INSIDE, _OUTSIDE = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 1))
_MANY = 2048


def _permitted(*bases: bytes) -> bytes:
    return der.tlv(0xA0, *map(der.sequence, bases))


def _excluded(*bases: bytes) -> bytes:
    return der.tlv(0xA1, *map(der.sequence, bases))


def _constrained(case: Case, level: Level, *subtrees: bytes, critical: bool = True) -> Case:
    """Name constraints of one certificate of the path."""
    return put(case, oids.NAME_CONSTRAINTS, der.sequence(*subtrees), critical=critical, level=level)


def _own_names(case: Case) -> Iterable[bytes]:
    """Subtrees within which all of the sound DNS names are."""
    return map(dns, held_dns_names(case))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_permitted_dns(case: Case) -> Case:
    """Its issuing CA may issue for another domain alone.

    Clients say that a name is not within the permitted subtrees; the name itself is right.
    """
    held_dns_names(case)
    return _constrained(case, case.intermediate(), _permitted(_ELSEWHERE))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_permitted_dns_root(case: Case) -> Case:
    """Its root allows another domain alone.

    Clients that take a trust anchor as name and key do not see it (RFC 5937 lets them look).
    """
    held_dns_names(case)
    return _constrained(case, case.root, _permitted(_ELSEWHERE))


@fault("R", "path", "6.1.3 (c)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_excluded_dns(case: Case) -> Case:
    """Its issuing CA must not issue for its domain.

    Clients say that a name is within the excluded subtrees.
    """
    return _constrained(case, case.intermediate(), _excluded(*_own_names(case)))


@fault("R", "path", "6.1.3 (c)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_excluded_dns_root(case: Case) -> Case:
    """Its root excludes its domain.

    Clients that take a trust anchor as name and key do not see it (RFC 5937 lets them look).
    """
    return _constrained(case, case.root, _excluded(*_own_names(case)))


@fault("V", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_dn_permitted_violation(case: Case) -> Case:
    """Its issuing CA may issue for another organization alone.

    It is the subject that is outside; validators that do not know such constraints must refuse them.
    """
    _subject(case)
    other = ((Attribute("2.5.4.10", "Elsewhere", der.UTF8_STRING),),)
    return _constrained(case, case.intermediate(), _permitted(directory(other)))


@fault("R", "path", "6.1.3 (c)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_dn_excluded_violation(case: Case) -> Case:
    """Its issuing CA must not issue for subjects that begin as its own does.

    The first part of its distinguished name is an excluded subtree.
    """
    return _constrained(case, case.intermediate(), _excluded(directory(_subject(case)[:1])))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_email_violation(case: Case) -> Case:
    """It has an e-mail address outside of its issuing CA's host of mailboxes.

    The DNS names are right: constraints hold for one kind of name each.
    """
    changed = beside(case, email("sensor@elsewhere.test"))
    return _constrained(changed, case.intermediate(), _permitted(email("mail.test")))


@fault("V", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_uri_violation(case: Case) -> Case:
    """It has a URI outside of its issuing CA's hosts.

    Validators that do not know constraints of URIs must refuse it all the same.
    """
    changed = beside(case, uri("https://elsewhere.test/sensor"))
    return _constrained(changed, case.intermediate(), _permitted(uri("web.test")))


@fault("R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_ip_violation(case: Case) -> Case:
    """It has an IP address outside of its issuing CA's network.

    192.0.2.0/24 is permitted, 198.51.100.1 is there.
    """
    changed = beside(case, ip(_OUTSIDE))
    return _constrained(changed, case.intermediate(), _permitted(ip(_NETWORK + _MASK)))


@fault("R", "path", "4.2.1.10", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_noncritical_violation(case: Case) -> Case:
    """Its issuing CA may issue for another domain alone, said without critical.

    Who knows name constraints has to apply them, critical or not.
    """
    held_dns_names(case)
    return _constrained(case, case.intermediate(), _permitted(_ELSEWHERE), critical=False)


@fault("V", "path", "4.2.1.10")
def nc_noncritical_ok(case: Case) -> Case:
    """Its issuing CA's name constraints are not critical; its names are within.

    They must be critical; most validators do not mind.
    """
    return _constrained(case, case.intermediate(), _permitted(*_own_names(case)), critical=False)


@fault("V", "parse", "4.2.1.10")
def nc_empty(case: Case) -> Case:
    """Its issuing CA's name constraints permit nothing and exclude nothing.

    One of the two lists must be there.
    """
    return _constrained(case, case.intermediate())


@fault("V", "parse", "4.2.1.10")
def nc_empty_subtrees(case: Case) -> Case:
    """Its issuing CA's name constraints have an empty list of permitted subtrees.

    A list has one member at least; for some readers nothing is permitted, for others everything.
    """
    return _constrained(case, case.intermediate(), _permitted())


def _counted(case: Case, field: bytes) -> Case:
    """The case's own names permitted, each subtree with one of the fields that X.509 alone uses."""
    subtrees = (der.sequence(name, field) for name in _own_names(case))
    return _constrained(case, case.intermediate(), der.tlv(0xA0, *subtrees))


@fault("V", "path", "4.2.1.10", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_min_nonzero(case: Case) -> Case:
    """Its issuing CA's name constraints have a minimum of 1.

    It must be 0, and who does not process others must refuse them.
    """
    return _counted(case, der.tlv(0x80, b"\x01"))


@fault("V", "path", "4.2.1.10", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_max_present(case: Case) -> Case:
    """Its issuing CA's name constraints have a maximum.

    The field must be absent, and who does not process it must refuse it.
    """
    return _counted(case, der.tlv(0x81, b"\x09"))


@fault("V", "path", "4.2.1.10")
def nc_leading_dot(case: Case) -> Case:
    """Its issuing CA's permitted domain begins with a full stop.

    That form is for URIs; for DNS names some take it for any host below, some for junk.
    """
    parents = {name.partition(".")[2]: None for name in held_dns_names(case)}
    if "" in parents:
        raise Impossible("a DNS name of the sound certificate is a single label")
    return _constrained(case, case.intermediate(), _permitted(*(dns(f".{name}") for name in parents)))


@fault("V", "parse", "4.2.1.10", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_ip_bad_length(case: Case) -> Case:
    """Its issuing CA's permitted IP range is an address without a mask.

    There are 8 or 32 octets; the certificate has this very address.
    """
    return _constrained(beside(case, ip(_INSIDE)), case.intermediate(), _permitted(ip(_INSIDE)))


@fault("V", "parse", "4.2.1.10")
def nc_ip_mask_gap(case: Case) -> Case:
    """Its issuing CA's permitted IP range has a mask with a gap: 255.0.255.0.

    No range in the style of CIDR; bit by bit the address of the certificate is within.
    """
    mask = bytes((255, 0, 255, 0))
    return _constrained(beside(case, ip(_INSIDE)), case.intermediate(), _permitted(ip(_NETWORK + mask)))


@fault("V", "path", "4.2.1.10")
def nc_on_leaf(case: Case) -> Case:
    """It has name constraints itself, and is no CA.

    They belong to CAs alone.
    """
    return _constrained(case, None, _permitted(*_own_names(case)))


@fault("R", "path", "4.2.1.10", finds=("path:name-constraint", "path-valid", "chain-of-trust"))
def nc_othername_excluded(case: Case) -> Case:
    """It has a user principal name, and its issuing CA excludes it.

    Who cannot compare names of this kind must refuse the path.
    """
    name = user_principal("sensor@elsewhere.test")
    return _constrained(beside(case, name), case.intermediate(), _excluded(name))


@fault("V", "path", "6.1.3 (c)")
def nc_wildcard_vs_excluded(case: Case) -> Case:
    """It has a wildcard that covers a host which its issuing CA excludes.

    RFC 5280 leaves open what a wildcard is there: some compare it as a name, some as all its hosts.
    """
    domain = f"wild.{held_dns_names(case)[0]}"
    changed = beside(case, dns(f"*.{domain}"))
    return _constrained(changed, case.intermediate(), _excluded(dns(f"secret.{domain}")))


@fault(
    "R", "path", "6.1.3 (b)", finds=("path:name-constraint", "path-valid", "names-in-san", "chain-of-trust")
)
def nc_cn_only(case: Case) -> Case:
    """It has a common name alone, outside of its issuing CA's domain.

    Who takes the common name for a host must hold it against the constraints too; for all others it has
    no host at all.
    """
    if common_name(case.plan.subject) not in held_dns_names(case):
        raise Impossible("its common name is not one of its DNS names, or is a wildcard")
    changed = leave_out(case, oids.SUBJECT_ALTERNATIVE_NAME)
    return _constrained(changed, case.intermediate(), _permitted(_ELSEWHERE))


@fault("R", "path", "4.2.1.10", finds=("path:other", "path-valid", "chain-of-trust"))
def nc_dos(case: Case) -> Case:
    """It has 2048 names more, and its issuing CA excludes 2048 others.

    Four million comparisons: validators should have a limit. None of its names is excluded.
    """
    changed = beside(case, *(dns(f"host-{number}.test") for number in range(_MANY)))
    others = (dns(f"excluded-{number}.test") for number in range(_MANY))
    return _constrained(changed, case.intermediate(), _excluded(*others))


def _subject(case: Case) -> tuple[tuple[Attribute, ...], ...]:
    """The subject, which must not be empty: constraints of directory names pass over an empty one."""
    if not case.plan.subject:
        raise Impossible("the sound certificate has no subject")
    return case.plan.subject
