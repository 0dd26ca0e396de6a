"""Common names that write a SAN name in another form (Baseline Requirements, 7.1.4.3)."""

from __future__ import annotations

from pkigen.cases.case import Case, Impossible, common_name
from pkigen.cases.general_names import beside, dns, existing_dns_names, ip
from pkigen.faults.registry import fault

_IPV4, _IPV6 = bytes((93, 184, 216, 34)), bytes.fromhex("2606280002200001000000000000000a")
"""Public addresses, those of example.com and its network: the Baseline Requirements forbid reserved ones."""


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san", "subject-cn"))
def cn_ip_hex(case: Case) -> Case:
    """The certificate has a common name with an IPv4 address in hexadecimal.

    The same address is in its SAN. The Baseline Requirements require the dotted decimal form of RFC 3986.
    """
    return _addressed(case, _IPV4, "0x5db8d822")


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san", "subject-cn"))
def cn_ip_leading_zeros(case: Case) -> Case:
    """The certificate has a common name with an IPv4 address with leading zeros.

    The same address is in its SAN. Programs that read numbers with a leading zero as octal reject the
    address or read another one.
    """
    return _addressed(case, _IPV4, "093.184.216.034")


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("subject-cn",))
def cn_ip6_uppercase(case: Case) -> Case:
    """The certificate has a common name with an IPv6 address in capitals.

    The same address is in its SAN. The Baseline Requirements require the form of RFC 5952: lowercase letters.
    """
    return _addressed(case, _IPV6, "2606:2800:220:1::A")


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san", "subject-cn"))
def cn_ip6_uncompressed(case: Case) -> Case:
    """The certificate has a common name with an uncompressed IPv6 address.

    The same address is in its SAN. The Baseline Requirements require the form of RFC 5952, with '::' instead
    of zeros.
    """
    return _addressed(case, _IPV6, "2606:2800:0220:0001:0000:0000:0000:000a")


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san", "subject-cn"))
def cn_ip6_mixed(case: Case) -> Case:
    """The certificate's common name is an IPv6 address that ends like an IPv4 address.

    The same address is in its SAN. The Baseline Requirements require the form of RFC 5952, which has this
    ending only for some prefixes.
    """
    return _addressed(case, _IPV6, "2606:2800:220:1::0.0.0.10")


@fault("P", "lint", "CABF BR 7.1.4.3", finds=("cn-in-san", "subject-cn"))
def cn_utf8_for_alabel(case: Case) -> Case:
    """The certificate has a common name in UTF-8 instead of the A-label in its SAN.

    The Baseline Requirements require that the common name repeats the SAN value character by character.
    """
    domain = _cn(case)
    return beside(case, dns(f"xn--bcher-kva.{domain}")).with_attribute("CN", f"b\u00fccher.{domain}"[:64])


@fault("P", "lint", "CABF BR 7.1.4.3")
def cn_other_case(case: Case) -> Case:
    """The certificate has a common name with a capital letter that its SAN lacks.

    The Baseline Requirements require that the common name repeats the SAN value character by character.
    """
    name = _cn(case)
    if (changed := name.capitalize()) == name:
        raise Impossible("its common name does not begin with a lowercase letter")
    return case.with_attribute("CN", changed)


def _addressed(case: Case, address: bytes, text: str) -> Case:
    existing_dns_names(case)
    return beside(case, ip(address)).with_attribute("CN", text)


def _cn(case: Case) -> str:
    """Return the common name, or the first DNS name if there is none."""
    names = existing_dns_names(case)
    name = common_name(case.plan.subject) or names[0]
    if name not in names:
        raise Impossible("its common name is not one of its DNS names, or is a wildcard")
    return name
