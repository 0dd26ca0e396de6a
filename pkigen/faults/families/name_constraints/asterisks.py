"""Asterisks below constraints: wildcards of DNS names, and asterisks of mailboxes, which are no wildcards."""

from __future__ import annotations

from pkigen.cases.case import Case
from pkigen.cases.general_names import beside, dns, email, existing_dns_names
from pkigen.faults.families.name_constraints.subtrees import constrained, own_names, permitted
from pkigen.faults.registry import fault

_VIOLATED = ("path:name-constraint", "path-valid", "chain-of-trust")


@fault("R", "path", "6.1.3 (b)", finds=_VIOLATED)
def nc_wildcard_vs_permitted(case: Case) -> Case:
    """The certificate has a wildcard; its issuing CA permits only one host of it.

    The wildcard also covers hosts that the CA does not permit. Clients report a name outside the permitted
    subtrees.
    """
    allowed = permitted(dns("one.wild.test"), *own_names(case))
    return constrained(beside(case, dns("*.wild.test")), case.intermediate(), allowed)


@fault("A", "path", "6.1.3 (b)")
def nc_wildcard_in_permitted_ok(case: Case) -> Case:
    """The certificate has a wildcard in the domain that its issuing CA permits.

    Every host that the wildcard covers is in the permitted domain; clients that process name constraints must
    accept the path (control case).
    """
    allowed = permitted(*own_names(case))
    return constrained(beside(case, dns(f"*.{existing_dns_names(case)[0]}")), case.intermediate(), allowed)


@fault("A", "path", "4.2.1.10")
def nc_email_asterisk_ok(case: Case) -> Case:
    """The certificate has the mailbox *@mail.test, which its issuing CA permits.

    In a constraint, the asterisk is a character like others. The two mailboxes are equal: clients that
    process name constraints must accept the path (control case).
    """
    return _mailboxes(case, "*@mail.test", "*@mail.test")


@fault("A", "path", "4.2.1.10")
def nc_email_double_asterisk_ok(case: Case) -> Case:
    """The certificate has the mailbox **@mail.test, which its issuing CA permits.

    In a constraint, asterisks are characters like others. The two mailboxes are equal: clients that
    process name constraints must accept the path (control case).
    """
    return _mailboxes(case, "**@mail.test", "**@mail.test")


@fault("A", "path", "4.2.1.10")
def nc_email_inner_asterisk_ok(case: Case) -> Case:
    """The certificate has the mailbox sensor*@mail.test, which its issuing CA permits.

    In a constraint, the asterisk is a character like others. The two mailboxes are equal: clients that
    process name constraints must accept the path (control case).
    """
    return _mailboxes(case, "sensor*@mail.test", "sensor*@mail.test")


@fault("R", "path", "4.2.1.10", finds=_VIOLATED)
def nc_email_asterisk_subdomain(case: Case) -> Case:
    """The issuing CA certificate permits the mailbox *@mail.test and no subdomain.

    The certificate has the mailbox *@sub.mail.test. A constraint on one mailbox contains no other: clients
    report a name outside the permitted subtrees.
    """
    return _mailboxes(case, "*@sub.mail.test", "*@mail.test")


@fault("R", "path", "4.2.1.10", finds=_VIOLATED)
def nc_email_double_asterisk(case: Case) -> Case:
    """The issuing CA certificate permits the mailbox **@mail.test, not *@mail.test.

    The certificate has the second one. In a constraint, asterisks are characters like others: clients report
    a name outside the permitted subtrees.
    """
    return _mailboxes(case, "*@mail.test", "**@mail.test")


@fault("V", "path", "4.2.1.6", finds=("san-syntax", "name-syntax"))
def nc_permitted_malformed_email(case: Case) -> Case:
    """The certificate has a malformed mailbox on the host that its issuing CA permits.

    The mailbox has two at signs: whether the constraint permits it is not defined, and some validators reject
    it.
    """
    return _mailboxes(case, "invalid@address@mail.test", "mail.test")


def _mailboxes(case: Case, name: str, constraint: str) -> Case:
    """Add a mailbox to the certificate, and a constraint that permits one or a host to its issuing CA."""
    return constrained(beside(case, email(name)), case.intermediate(), permitted(email(constraint)))
