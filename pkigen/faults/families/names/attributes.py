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
from pkigen.cases.general_names import beside, dns, existing_dns_names, existing_names
from pkigen.faults.registry import fault
from pkigen.model import Attribute, Edit, EditOp, Name

_ISSUER, _SUBJECT = (3,), (5,)
_SAN = oids.SUBJECT_ALTERNATIVE_NAME
_LONGEST_COMMON_NAME = 64


def _cn(case: Case) -> str:
    return common_name(case.plan.subject) or case.entity.name


def _also_in_san(case: Case, name: str) -> Case:
    """Replace the common name, and add the new one to the alternative names if there are DNS names."""
    listed = () if case.extension(_SAN) is None else existing_names(case)
    if dns(name) not in listed and any(one[:1] == dns("")[:1] for one in listed):
        case = beside(case, dns(name))
    return case.with_attribute("CN", name)


def _with_cn(case: Case, value: str | bytes, tag: int = der.UTF8_STRING) -> Case:
    """Replace the common name, by a string or by bytes of a string type."""
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
    """The certificate names an unknown issuer.

    Clients report that they cannot find the issuer: no certificate in the chain has that name.
    """
    return case.change(issuer=with_attribute(case.plan.issuer, "CN", "Nobody Knows This CA"))


@fault("R", "path", "4.1.2.4", finds=("path:no-issuer", "issuer-not-empty", "chain-issuer"))
def issuer_empty(case: Case) -> Case:
    """The certificate has an empty issuer name.

    The issuer name must not be empty; clients reject the certificate.
    """
    return case.edit(Edit(_ISSUER, EditOp.REPLACE, der.sequence()))


@fault("V", "path", "4.1.2.6", finds=("issuer-not-empty", "ca-subject"))
def ca_subject_empty(case: Case) -> Case:
    """The issuing CA certificate has an empty subject.

    A CA must have a nonempty subject, because the certificates that it issues contain it.
    """
    return case.change_authority_plan(case.intermediate(), lambda plan: replace(plan, subject=()))


@fault(
    "V", "lint", "4.1.2.6", finds=("issuer-not-empty", "subject-cn", "subject-c", "subject-o", "subject-ou")
)
def subject_empty_san_noncritical(case: Case) -> Case:
    """The certificate has an empty subject and a SAN that is not critical.

    The SAN must be critical if the subject is empty; some clients reject the certificate.
    """
    return set_critical(case.change(subject=()), _SAN, False)


@fault("A", "path", "4.1.2.6", finds=("subject-cn", "subject-c", "subject-o", "subject-ou"))
def subject_empty_san_critical(case: Case) -> Case:
    """The certificate has an empty subject and a critical SAN.

    Clients must accept it: RFC 5280 requires exactly this form (control case).
    """
    return set_critical(case.change(subject=()), _SAN, True)


@fault("P", "lint", "appliance", finds=("subject-c",))
def subject_missing_c(case: Case) -> Case:
    """The certificate subject has no country (C).

    Some appliances require it; path validators do not.
    """
    return case.with_attribute("C", None)


@fault("P", "lint", "appliance", finds=("subject-o",))
def subject_missing_o(case: Case) -> Case:
    """The certificate subject has no organization (O).

    Some appliances require it; path validators do not.
    """
    return case.with_attribute("O", None)


@fault("P", "lint", "appliance", finds=("subject-ou",))
def subject_missing_ou(case: Case) -> Case:
    """The certificate subject has no organizational unit (OU).

    Some appliances require it; path validators do not.
    """
    return case.with_attribute("OU", None)


@fault("P", "lint", "appliance", finds=("subject-cn",))
def subject_missing_cn(case: Case) -> Case:
    """The certificate subject has no common name (CN).

    Some appliances require it; path validators do not.
    """
    changed = case.with_attribute("CN", None)
    # An empty subject would be another fault.
    return changed if changed.plan.subject else changed.with_attribute("O", "Nameless")


@fault("P", "lint", "appliance", finds=("subject-cn-no-wildcard",))
def cn_wildcard(case: Case) -> Case:
    """The certificate has a wildcard as its common name.

    Appliances may reject a certificate that several hosts can share.
    """
    name = f"*.{_cn(case).removeprefix('*.')}"
    if len(name) > _LONGEST_COMMON_NAME:
        raise Impossible("its common name is too long for another label")
    return _also_in_san(case, name)


@fault("P", "lint", "appliance", finds=("cn-in-san", "subject-cn"))
def cn_not_a_domain_name(case: Case) -> Case:
    """The certificate has a common name that is not a domain name.

    Appliances may require their own host name as the common name.
    """
    return case.with_attribute("CN", f"Appliance {case.entity.name}"[:64])


@fault("P", "lint", "appliance", finds=("subject-cn-unique",))
def cn_shared(case: Case) -> Case:
    """The certificate has the same common name as another certificate.

    Appliances with the same name cannot be distinguished; path validators do not check this.
    """
    return _also_in_san(case, common_name(case.base.certificates[0].subject) or case.base.name)


@fault("V", "path", "7.1")
def chain_name_case(case: Case) -> Case:
    """The certificate has its issuer name in capitals, unlike the CA subject.

    The names match under RFC 5280 7.1; validators that compare bytes cannot find the issuer.
    """
    return _issuer_written(case, lambda name: _each_text(name, str.upper))


@fault("V", "path", "7.1")
def chain_name_whitespace(case: Case) -> Case:
    """The certificate has an issuer name with more spaces than the CA subject.

    The names match under RFC 5280 7.1; validators that compare bytes cannot find the issuer.
    """
    return _issuer_written(case, lambda name: _each_text(name, lambda text: f"{text.replace(' ', '  ')} "))


@fault("V", "path", "7.1")
def chain_name_string_type(case: Case) -> Case:
    """The certificate has a PrintableString issuer; the CA subject is a UTF8String.

    The names match under RFC 5280 7.1; validators that compare bytes cannot find the issuer.
    """
    return _issuer_written(
        case, lambda name: tuple(tuple(replace(a, tag=der.PRINTABLE_STRING) for a in rdn) for rdn in name)
    )


@fault("R", "path", "7.1", finds=("path:no-issuer", "chain-issuer"))
def chain_name_rdn_order(case: Case) -> Case:
    """The certificate has an issuer name with the RDNs in a different order.

    Names with a different order do not match under any rule; clients report that they cannot find
    the issuer.
    """
    if len(case.plan.issuer) < 2:
        place = (Attribute("2.5.4.7", "Somewhere", der.UTF8_STRING),)
        case = case.change_authority_plan(0, lambda plan: replace(plan, subject=(*plan.subject, place)))
    return case.change(issuer=case.plan.issuer[::-1])


@fault(
    "R",
    "name",
    "RFC 9525 6.3",
    finds=("path:hostname", "names-in-san", "subject-cn", "name-string-types"),
    cves=("CVE-2009-2408",),
)
def nul_in_cn(case: Case) -> Case:
    """The certificate has a NUL byte in its common name, and no SAN.

    Clients must report a host name mismatch. Clients that stop reading at the NUL accept the certificate
    for another host, as NSS did before 3.12.3.
    """
    return leave_out(_with_cn(case, f"{_cn(case)}\0.evil.test".encode()), _SAN)


@fault(
    "R",
    "name",
    "RFC 9525 6.3",
    finds=("path:hostname", "cn-in-san", "name-syntax", "san-syntax"),
    cves=("CVE-2013-4238",),
)
def nul_in_san(case: Case) -> Case:
    """The certificate has a NUL byte in a SAN DNS name.

    Clients must report a host name mismatch. Clients that stop reading at the NUL accept the certificate
    for another host, as Python did before 2.7.6 and 3.3.3.
    """
    return put(case, _SAN, der.sequence(der.tlv(0x82, f"{_cn(case)}\0.evil.test".encode())))


@fault("V", "parse", "X.680 41.4", finds=("name-string-types",))
def printable_bad_char(case: Case) -> Case:
    """The certificate subject has a PrintableString with invalid characters.

    PrintableString does not allow '_' and '@'; strict parsers reject the certificate.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", "a_b@c", der.PRINTABLE_STRING),))
    return case.change(subject=subject)


@fault("V", "parse", "4.1.2.4", finds=("path:malformed", "path-valid", "chain-of-trust", "name-string-types"))
def utf8_invalid(case: Case) -> Case:
    """The certificate subject has a UTF8String that is not valid UTF-8.

    The bytes FF FE cannot occur in UTF-8; strict parsers reject the certificate.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", b"\xff\xfe", der.UTF8_STRING),))
    return case.change(subject=subject)


@fault("P", "lint", "X.520 6.3.1", finds=("name-lengths",))
def country_3(case: Case) -> Case:
    """The certificate subject has a country code with three letters.

    X.520 requires the two-letter code of ISO 3166; linters report it, most clients do not.
    """
    return case.with_attribute("C", "USA")


@fault("P", "lint", "A.1", finds=("name-lengths",))
def cn_65(case: Case) -> Case:
    """The certificate has a common name with 65 characters.

    The maximum is 64 characters; linters report it, most clients do not.
    """
    name = _cn(case).removeprefix("*.")
    if len(name) >= _LONGEST_COMMON_NAME:
        raise Impossible("its common name is too long for another label")
    return _also_in_san(case, f"{'a' * (_LONGEST_COMMON_NAME - len(name))}.{name}")


@fault("V", "lint", "A.1", finds=("subject-cn", "name-lengths"))
def cn_empty(case: Case) -> Case:
    """The certificate has an empty common name.

    The minimum is one character; strict parsers reject the certificate.
    """
    return _with_cn(case, b"")


@fault("P", "lint", "CABF BR 7.1.4.3")
def cn_duplicate(case: Case) -> Case:
    """The certificate has two common names, both also in its SAN.

    The Baseline Requirements allow at most one; linters report it.
    """
    second = f"second.{existing_dns_names(case)[0]}"
    if len(second) > _LONGEST_COMMON_NAME:
        raise Impossible("its DNS name is too long for another label")
    another = Attribute(COMMON_NAME, second, der.UTF8_STRING)
    return beside(case, dns(second)).change(subject=(*case.plan.subject, (another,)))


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san",))
def cn_not_in_san(case: Case) -> Case:
    """The certificate has a common name that is not in its SAN.

    The Baseline Requirements require that the common name repeats a SAN value; linters report it.
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


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san", "subject-cn"))
def cn_homograph(case: Case) -> Case:
    """The certificate has a common name with a Cyrillic letter that looks Latin.

    Users read a different name than clients compare.
    """
    name = _cn(case)
    place = next((place for place, letter in enumerate(name) if letter in _LOOK_ALIKES), None)
    if place is None:
        raise Impossible("no letter of its common name looks like a Cyrillic one")
    return case.with_attribute("CN", name[:place] + _LOOK_ALIKES[name[place]] + name[place + 1 :])


@fault("V", "parse", "X.501 9.3")
def rdn_empty_set(case: Case) -> Case:
    """The certificate subject contains an empty RDN.

    An RDN must have at least one attribute; strict parsers reject the certificate.
    """
    return case.change(subject=(*case.plan.subject, ()))


@fault(
    "V", "parse", "X.690 8.23", finds=("path:malformed", "path-valid", "chain-of-trust", "name-string-types")
)
def bmp_odd_length(case: Case) -> Case:
    """The certificate subject has a BMPString of three bytes.

    Each character takes two bytes; strict parsers reject the certificate.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", b"\x00a\x00", der.BMP_STRING),))
    return case.change(subject=subject)


@fault("P", "lint", "4.1.2.4")
def teletex(case: Case) -> Case:
    """The certificate subject contains a TeletexString.

    RFC 5280 reserves this type for names that used it before; linters report it.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", "Koeln", der.TELETEX_STRING),))
    return case.change(subject=subject)


@fault("V", "parse", "X.520", finds=("path:malformed", "path-valid", "chain-of-trust"))
def attr_integer(case: Case) -> Case:
    """The certificate subject has an attribute that is an INTEGER.

    Attribute values in names are strings; some parsers reject the certificate.
    """
    subject = (*case.plan.subject, (Attribute("2.5.4.7", b"\x2a", der.INTEGER),))
    return case.change(subject=subject)
