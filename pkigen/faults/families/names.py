"""Names of issuer and subject (RFC 5280, 4.1.2.4, 4.1.2.6 and 7.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkigen.asn1 import der, oids
from pkigen.asn1.names import COMMON_NAME
from pkigen.cases.case import (
    Case,
    Impossible,
    common_name,
    with_attribute,
)
from pkigen.cases.extension_values import (
    leave_out,
    put,
    set_critical,
    value_of,
)
from pkigen.cases.general_names import beside, dns, held_dns_names
from pkigen.faults.registry import fault
from pkigen.model import Attribute, Edit, EditOp, Name

_ISSUER, _SUBJECT = (3,), (5,)
_SAN = oids.SUBJECT_ALTERNATIVE_NAME
_LONGEST_COMMON_NAME = 64


def _cn(case: Case) -> str:
    return common_name(case.plan.subject) or case.entity.name


def _with_cn(case: Case, value: str | bytes, tag: int = der.UTF8_STRING) -> Case:
    """Another common name, as text or as octets of a string type."""
    subject = with_attribute(case.plan.subject, "CN", "x")
    changed = tuple(
        tuple(Attribute(a.oid, value, tag) if a.oid == COMMON_NAME else a for a in rdn) for rdn in subject
    )
    return case.change(subject=changed)


def _issuer_written(case: Case, change: Callable[[Name], Name]) -> Case:
    """The issuer's name written in another way than in the issuer's own certificate."""
    return case.change(issuer=change(case.plan.issuer))


def _each_text(name: Name, change: Callable[[str], str]) -> Name:
    """Every text of a name but countries changed."""
    return tuple(
        tuple(
            replace(a, value=change(a.value)) if isinstance(a.value, str) and len(a.value) > 2 else a
            for a in rdn
        )
        for rdn in name
    )


@fault("R", "path", "6.1.3 (a)(4)", finds=("path:no-issuer", "chain-issuer"))
def issuer_mismatch(case: Case) -> Case:
    """Its issuer is somebody whom nobody knows.

    No certificate of the chain has that name.
    """
    return case.change(issuer=with_attribute(case.plan.issuer, "CN", "Nobody Knows This CA"))


@fault("R", "path", "4.1.2.4", finds=("path:no-issuer", "issuer-not-empty", "chain-issuer"))
def issuer_empty(case: Case) -> Case:
    """Its issuer is an empty name.

    An issuer must have a name.
    """
    return case.edit(Edit(_ISSUER, EditOp.REPLACE, der.sequence()))


@fault("V", "path", "4.1.2.6", finds=("issuer-not-empty", "ca-subject"))
def ca_subject_empty(case: Case) -> Case:
    """Its issuing CA's subject is empty.

    A CA must have a name, since its certificates say it.
    """
    return case.change_authority_plan(case.intermediate(), lambda plan: replace(plan, subject=()))


@fault(
    "V", "lint", "4.1.2.6", finds=("issuer-not-empty", "subject-cn", "subject-c", "subject-o", "subject-ou")
)
def subject_empty_san_noncritical(case: Case) -> Case:
    """Its subject is empty, and its alternative name is not critical.

    The alternative name must be critical then.
    """
    return set_critical(case.change(subject=()), _SAN, False)


@fault("A", "path", "4.1.2.6", finds=("subject-cn", "subject-c", "subject-o", "subject-ou"))
def subject_empty_san_critical(case: Case) -> Case:
    """Its subject is empty, and its alternative name is critical.

    A control: RFC 5280 wants just this.
    """
    return set_critical(case.change(subject=()), _SAN, True)


@fault("P", "lint", "appliance", finds=("subject-c",))
def subject_missing_c(case: Case) -> Case:
    """Its subject states no country.

    Appliances may ask for it, path validators do not.
    """
    return case.with_attribute("C", None)


@fault("P", "lint", "appliance", finds=("subject-o",))
def subject_missing_o(case: Case) -> Case:
    """Its subject states no organization.

    Appliances may ask for it, path validators do not.
    """
    return case.with_attribute("O", None)


@fault("P", "lint", "appliance", finds=("subject-ou",))
def subject_missing_ou(case: Case) -> Case:
    """Its subject states no organizational unit.

    Appliances may ask for it, path validators do not.
    """
    return case.with_attribute("OU", None)


@fault("P", "lint", "appliance", finds=("subject-cn",))
def subject_missing_cn(case: Case) -> Case:
    """Its subject has no common name.

    Appliances may ask for it, path validators do not.
    """
    return case.with_attribute("CN", None).with_attribute("O", "Nameless")


@fault("P", "lint", "appliance", finds=("cn-in-san", "subject-cn-no-wildcard"))
def cn_wildcard(case: Case) -> Case:
    """Its common name is a wildcard.

    Appliances may refuse to share a certificate.
    """
    return case.with_attribute("CN", f"*.{_cn(case)}"[-64:])


@fault("P", "lint", "appliance", finds=("cn-in-san", "subject-cn"))
def cn_not_a_domain_name(case: Case) -> Case:
    """Its common name is no domain name.

    Appliances may want their own name there.
    """
    return case.with_attribute("CN", f"Appliance {case.entity.name}"[:64])


@fault("P", "lint", "appliance", finds=("cn-in-san", "subject-cn-unique"))
def cn_shared(case: Case) -> Case:
    """Its common name is another certificate's.

    Two appliances under one name cannot be told apart.
    """
    return case.with_attribute("CN", common_name(case.base.certificates[0].subject) or case.base.name)


@fault("V", "path", "7.1", finds=("chain-issuer",))
def chain_name_case(case: Case) -> Case:
    """Its issuer is written in capitals, and the CA's subject is not.

    The same name by 7.1; validators that compare octets find no issuer.
    """
    return _issuer_written(case, lambda name: _each_text(name, str.upper))


@fault("V", "path", "7.1", finds=("chain-issuer",))
def chain_name_whitespace(case: Case) -> Case:
    """Its issuer is written with more spaces than the CA's subject.

    The same name by 7.1; validators that compare octets find no issuer.
    """
    return _issuer_written(case, lambda name: _each_text(name, lambda text: f"{text.replace(' ', '  ')} "))


@fault("V", "path", "7.1", finds=("chain-issuer",))
def chain_name_string_type(case: Case) -> Case:
    """Its issuer is written in PrintableString, the CA's subject in UTF8String.

    The same name by 7.1; validators that compare octets find no issuer.
    """
    return _issuer_written(
        case, lambda name: tuple(tuple(replace(a, tag=der.PRINTABLE_STRING) for a in rdn) for rdn in name)
    )


@fault("R", "path", "7.1", finds=("path:no-issuer", "chain-issuer"))
def chain_name_rdn_order(case: Case) -> Case:
    """Its issuer has the parts of the CA's subject in another order.

    Another name by every rule.
    """
    if len(case.plan.issuer) < 2:
        place = (Attribute("2.5.4.7", "Somewhere", der.UTF8_STRING),)
        case = case.change_authority_plan(0, lambda plan: replace(plan, subject=(*plan.subject, place)))
    return case.change(issuer=case.plan.issuer[::-1])


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "names-in-san", "subject-cn"))
def nul_in_cn(case: Case) -> Case:
    """Its common name has a NUL in it, and it has no alternative name.

    Who stops reading at the NUL takes it for another host's.
    """
    return leave_out(_with_cn(case, f"{_cn(case)}\0.evil.test".encode()), _SAN)


@fault("R", "name", "RFC 9525 6.3", finds=("path:hostname", "cn-in-san", "name-syntax"))
def nul_in_san(case: Case) -> Case:
    """Its alternative name has a NUL in it.

    Who stops reading at the NUL takes it for another host's.
    """
    return put(case, _SAN, der.sequence(der.tlv(0x82, f"{_cn(case)}\0.evil.test".encode())))


@fault("V", "parse", "X.680 41.4")
def printable_bad_char(case: Case) -> Case:
    """A PrintableString of its subject has characters that the type does not have.

    '_' and '@' are not among them.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", "a_b@c", der.PRINTABLE_STRING),))
    return case.change(subject=subject)


@fault("V", "parse", "4.1.2.4", finds=("path:malformed", "path-valid", "chain-of-trust"))
def utf8_invalid(case: Case) -> Case:
    """A UTF8String of its subject is no UTF-8.

    Octets ff fe can stand in no UTF-8 text.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", b"\xff\xfe", der.UTF8_STRING),))
    return case.change(subject=subject)


@fault("P", "lint", "X.520 6.3.1")
def country_3(case: Case) -> Case:
    """Its country has three letters.

    ISO 3166 codes of two letters are asked for.
    """
    return case.with_attribute("C", "USA")


@fault("P", "lint", "A.1", finds=("cn-in-san", "subject-cn"))
def cn_65(case: Case) -> Case:
    """Its common name has 65 characters.

    64 are the most.
    """
    return case.with_attribute("CN", "a" * 65)


@fault("V", "lint", "A.1", finds=("subject-cn",))
def cn_empty(case: Case) -> Case:
    """Its common name is empty.

    One character is the least.
    """
    return _with_cn(case, b"")


@fault("P", "lint", "CABF BR 7.1.4.3")
def cn_duplicate(case: Case) -> Case:
    """It has two common names, both among its alternative names.

    One is the most for a server.
    """
    second = f"second.{held_dns_names(case)[0]}"
    if len(second) > _LONGEST_COMMON_NAME:
        raise Impossible("its DNS name is too long for another label")
    another = Attribute(COMMON_NAME, second, der.UTF8_STRING)
    return beside(case, dns(second)).change(subject=(*case.plan.subject, (another,)))


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san",))
def cn_not_in_san(case: Case) -> Case:
    """Its common name is none of its alternative names.

    It must repeat one of them.
    """
    value_of(case, _SAN)
    return case.with_attribute("CN", f"other.{_cn(case)}"[-64:])


_LOOK_ALIKES = {
    "a": "\u0430",
    "c": "\u0441",
    "e": "\u0435",
    "o": "\u043e",
    "p": "\u0440",
    "x": "\u0445",
    "y": "\u0443",
}
"""Latin letters, and the Cyrillic ones that look the same."""


@fault("P", "lint", "RFC 5890", finds=("cn-in-san", "subject-cn"))
def cn_homograph(case: Case) -> Case:
    """Its common name has a Cyrillic letter that looks like a Latin one.

    People read another name than machines do.
    """
    name = _cn(case)
    place = next((place for place, letter in enumerate(name) if letter in _LOOK_ALIKES), None)
    if place is None:
        raise Impossible("no letter of its common name has a Cyrillic twin")
    return case.with_attribute("CN", name[:place] + _LOOK_ALIKES[name[place]] + name[place + 1 :])


@fault("V", "parse", "X.501 9.3")
def rdn_empty_set(case: Case) -> Case:
    """Its subject has an empty relative distinguished name.

    A set must have one member at least.
    """
    return case.change(subject=(*case.plan.subject, ()))


@fault("V", "parse", "X.690 8.23", finds=("path:malformed", "path-valid", "chain-of-trust"))
def bmp_odd_length(case: Case) -> Case:
    """A BMPString of its subject has three octets.

    Each character takes two.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", b"\x00a\x00", der.BMP_STRING),))
    return case.change(subject=subject)


@fault("P", "lint", "4.1.2.4")
def teletex(case: Case) -> Case:
    """Its subject has a TeletexString.

    RFC 5280 keeps it for names that were there before.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", "Koeln", der.TELETEX_STRING),))
    return case.change(subject=subject)


@fault("V", "parse", "X.520", finds=("path:malformed", "path-valid", "chain-of-trust"))
def attr_integer(case: Case) -> Case:
    """An attribute of its subject is an INTEGER.

    Names are strings.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", b"\x2a", der.INTEGER),))
    return case.change(subject=subject)
