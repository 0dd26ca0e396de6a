"""The kinds of general names in requirement sets: those of RFC 5280, 4.2.1.6, and otherName by its type.

An otherName's kind is the OID of its type. Sets name the usual types: UPN, HardwareModuleName ...
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, NamedTuple

from pkigen.asn1 import der, names, oids
from pkigen.documents.fields import OID, Parsed, parse_oid, unknown
from pkigen.x509 import GeneralName

_IA5 = {"email": 0x81, "dns": 0x82, "uri": 0x86}
_SIMPLE = (*_IA5, "ip", "rid", "dirname")
ADDED_KINDS = ("dns", "email", "uri", "rid")
"""The kinds of names that negative cases add, in the order of preference."""
_STRING_TYPES = {
    "UTF8String": der.UTF8_STRING,
    "PrintableString": der.PRINTABLE_STRING,
    "TeletexString": der.TELETEX_STRING,
    "IA5String": der.IA5_STRING,
    "GeneralString": der.GENERAL_STRING,
    "UniversalString": der.UNIVERSAL_STRING,
    "BMPString": der.BMP_STRING,
}
_CODECS = {
    der.UTF8_STRING: "utf-8",
    der.TELETEX_STRING: "latin-1",
    der.BMP_STRING: "utf-16-be",
    der.UNIVERSAL_STRING: "utf-32-be",
}
ASN1_TYPES = {
    **_STRING_TYPES,
    "OCTET STRING": der.OCTET_STRING,
    "SEQUENCE": der.SEQUENCE,
    "INTEGER": der.INTEGER,
    "OBJECT IDENTIFIER": der.OID,
}
"""ASN.1 type -> tag."""


class _OtherName(NamedTuple):
    """A type of otherName: its name in sets, its OID, a value of it in DER, its short form in profiles."""

    title: str
    oid: str
    value: bytes
    short: str = ""


_HARDWARE_MODULE = der.sequence(der.oid("1.2.3.4"), der.octet_string(b"\x01"))
_PRINCIPAL = der.sequence(
    der.explicit(0, der.integer(1)), der.explicit(1, der.sequence(der.string(der.GENERAL_STRING, "other")))
)
_KERBEROS = der.sequence(
    der.explicit(0, der.string(der.GENERAL_STRING, "CONTOSO.TEST")), der.explicit(1, _PRINCIPAL)
)
_OTHER_NAMES = (
    _OtherName("UPN", oids.USER_PRINCIPAL_NAME, der.string(der.UTF8_STRING, "other@contoso.test"), "upn"),
    _OtherName("SRVName", oids.SRV_NAME, der.string(der.IA5_STRING, "_other.contoso.test"), "srv"),
    _OtherName(
        "SmtpUTF8Mailbox", oids.SMTP_UTF8_MAILBOX, der.string(der.UTF8_STRING, "ö@contoso.test"), "smtputf8"
    ),
    _OtherName("KRB5PrincipalName", oids.KERBEROS_PRINCIPAL_NAME, _KERBEROS, "krb5"),
    _OtherName("NAIRealm", oids.NAI_REALM, der.string(der.UTF8_STRING, "contoso.test")),
    _OtherName("HardwareModuleName", oids.HARDWARE_MODULE_NAME, _HARDWARE_MODULE),
    _OtherName("NTDSGUID", oids.NTDS_GUID, der.octet_string(bytes(range(16)))),
)
_BY_OID = {one.oid: one for one in _OTHER_NAMES}
_OIDS = {name.lower(): one.oid for one in _OTHER_NAMES for name in (one.title, one.short) if name}


def _parse_kind(text: str) -> str:
    """Return a kind of RFC 5280, or the OID of a type of otherName."""
    if text in _SIMPLE:
        return str(text)
    if OID.fullmatch(text):
        return parse_oid(text)
    if text.lower() not in _OIDS:
        raise ValueError(unknown("kind of name", text, (*_SIMPLE, *(one.title for one in _OTHER_NAMES))))
    return _OIDS[text.lower()]


NameKind = Annotated[str, Parsed(_parse_kind, "dns, ip, email, uri, rid, dirname, UPN ... or an OID")]


def kind_of(name: GeneralName) -> str:
    """Return the kind of a name: one of RFC 5280, the OID of an otherName, or ``other``."""
    return name.type_id or name.kind


def is_other_name(kind: str) -> bool:
    """Return whether a kind is the OID of a type of otherName."""
    return kind not in _SIMPLE


def title_of(kind: str) -> str:
    """Return a kind as sets and messages name it."""
    return _BY_OID[kind].title if kind in _BY_OID else kind


def text_of(name: GeneralName) -> str:
    """Return the value of a name; of an otherName that is not a string, its DER as ``#`` and hexadecimal."""
    if not name.type_id:
        return name.value
    tag = name.der[0] if name.der else 0
    if tag in _STRING_TYPES.values():
        try:
            return der.contents(name.der).decode(_CODECS.get(tag, "ascii"))
        except UnicodeDecodeError:
            pass
    return f"#{name.der.hex()}"


def comparable(kind: str, text: str) -> str:
    """Return a form that is equal for values of a kind that match (RFC 5280, 7.2)."""
    if kind == "dns":
        return text.lower()
    return str(ip_address(text)) if kind == "ip" and "/" not in text else text


def encoded(kind: str, text: str, tag: int | None = None) -> bytes:
    """Return a GeneralName in DER; ValueError if the kind cannot have the value.

    ``tag`` is the string type of an otherName; a text that begins with ``#`` is its value in hexadecimal.
    """
    if kind in _IA5:
        return der.tlv(_IA5[kind], text.encode("ascii"))
    if kind == "ip":
        return der.tlv(0x87, ip_address(text).packed)
    if kind == "rid":
        return der.tlv(0x88, der.contents(der.oid(parse_oid(text))))
    if kind == "dirname":
        return der.explicit(4, names.encode(names.name(map(_attribute, text.split(", ")))))
    if text.startswith("#"):
        return other_name(kind, bytes.fromhex(text[1:]))
    return other_name(kind, der.string(tag or sample_of(kind)[0], text))


def _attribute(text: str) -> tuple[str, str]:
    kind, equals, value = text.partition("=")
    if not equals or not (kind in names.ATTRIBUTE_TYPES or OID.fullmatch(kind)):
        raise ValueError(f"'{text}' is not an attribute such as CN=Contoso")
    return kind, value


def other_name(type_id: str, value: bytes) -> bytes:
    """Return an otherName in DER."""
    return der.explicit(0, der.oid(type_id), der.explicit(0, value))


def sample_of(type_id: str) -> bytes:
    """Return a value in DER for a type of otherName."""
    return _BY_OID[type_id].value if type_id in _BY_OID else der.string(der.UTF8_STRING, "other")
