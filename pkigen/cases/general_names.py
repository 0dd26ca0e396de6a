"""GeneralNames that faults add (RFC 5280, 4.2.1.6), and those of the original certificate."""

from __future__ import annotations

from pkigen.asn1 import der, names, oids
from pkigen.cases.case import Case, Impossible
from pkigen.cases.extension_values import put, value_of
from pkigen.model import Name

_EMAIL, _DNS, _URI, _IP = 0x81, 0x82, 0x86, 0x87
_OTHER, _X400, _DIRECTORY, _EDI = 0, 3, 4, 5
_COUNTRY = 0x61


def dns(name: str | bytes) -> bytes:
    """dNSName; bytes are used unmodified."""
    return der.tlv(_DNS, name if isinstance(name, bytes) else name.encode())


def email(address: str) -> bytes:
    """rfc822Name."""
    return der.tlv(_EMAIL, address.encode())


def uri(url: str) -> bytes:
    """uniformResourceIdentifier."""
    return der.tlv(_URI, url.encode())


def ip(octets: bytes) -> bytes:
    """iPAddress: an address, or an address and mask in a name constraint."""
    return der.tlv(_IP, octets)


def directory(name: Name) -> bytes:
    """directoryName, with an explicit tag because Name is a CHOICE."""
    return der.explicit(_DIRECTORY, names.encode(name))


def other_name(oid: str, value: bytes) -> bytes:
    """otherName of a type."""
    return der.explicit(_OTHER, der.oid(oid), der.explicit(0, value))


def user_principal(name: str) -> bytes:
    """otherName of the type userPrincipalName."""
    return other_name(oids.USER_PRINCIPAL_NAME, der.string(der.UTF8_STRING, name))


def x400(country: str) -> bytes:
    """x400Address with a country only (ORAddress; RFC 5280, appendix A.1)."""
    code = der.tlv(_COUNTRY, der.string(der.PRINTABLE_STRING, country))
    return der.explicit(_X400, der.sequence(code))


def edi_party(name: str) -> bytes:
    """ediPartyName with a partyName only."""
    return der.explicit(_EDI, der.explicit(1, der.string(der.UTF8_STRING, name)))


def existing_names(case: Case) -> tuple[bytes, ...]:
    """Return the alternative names of the certificate."""
    return tuple(der.children(value_of(case, oids.SUBJECT_ALTERNATIVE_NAME)))


def existing_dns_names(case: Case) -> tuple[str, ...]:
    """Return its DNS names without wildcard labels; Impossible if it has none."""
    names = [der.contents(name).decode() for name in existing_names(case) if name[0] == _DNS]
    if not names:
        raise Impossible("the certificate has no DNS name")
    return tuple(name.removeprefix("*.") for name in names)


def beside(case: Case, *more: bytes) -> Case:
    """Add alternative names to the existing ones."""
    return put(case, oids.SUBJECT_ALTERNATIVE_NAME, der.sequence(*existing_names(case), *more))
