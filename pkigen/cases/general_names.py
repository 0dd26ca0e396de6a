"""GeneralNames for faults to put in (RFC 5280, 4.2.1.6), and those that the sound certificate has."""

from __future__ import annotations

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put, value_of
from pkigen.model import Name

_EMAIL, _DNS, _URI, _IP = 0x81, 0x82, 0x86, 0x87
_DIRECTORY, _OTHER = 4, 0


def dns(name: str | bytes) -> bytes:
    """dNSName; octets stand as they are."""
    return der.tlv(_DNS, name if isinstance(name, bytes) else name.encode())


def email(address: str) -> bytes:
    """rfc822Name."""
    return der.tlv(_EMAIL, address.encode())


def uri(url: str) -> bytes:
    """uniformResourceIdentifier."""
    return der.tlv(_URI, url.encode())


def ip(octets: bytes) -> bytes:
    """iPAddress: an address, or in a name constraint an address and its mask."""
    return der.tlv(_IP, octets)


def directory(name: Name) -> bytes:
    """directoryName, which is tagged explicitly since Name is a CHOICE."""
    return der.explicit(_DIRECTORY, names.encode(name))


def user_principal(name: str) -> bytes:
    """otherName of the type userPrincipalName."""
    value = der.explicit(0, der.string(der.UTF8_STRING, name))
    return der.explicit(_OTHER, der.oid(oids.USER_PRINCIPAL_NAME), value)


def held_names(case: Case) -> tuple[bytes, ...]:
    """The alternative names of the sound certificate."""
    return tuple(der.children(value_of(case, oids.SUBJECT_ALTERNATIVE_NAME)))


def held_dns_names(case: Case) -> tuple[str, ...]:
    """Its DNS names, without the wildcards in front; Impossible when it has none."""
    found = [der.contents(name).decode() for name in held_names(case) if name[0] == _DNS]
    if not found:
        raise Impossible("the sound certificate has no DNS name")
    return tuple(name.removeprefix("*.") for name in found)


def beside(case: Case, *more: bytes) -> Case:
    """Alternative names more than the sound ones."""
    return put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(*held_names(case), *more))
