"""The values of extensions as texts, for values of one ASN.1 type and for two types of Microsoft."""

from __future__ import annotations

from typing import Literal

from pkigen.asn1 import der, microsoft
from pkigen.documents.fields import parse_oid
from pkigen.x509.decode import decoder, expect, integer
from pkigen.x509.microsoft import certificate_template, security_identifier

_STRINGS = {
    "UTF8String": der.UTF8_STRING,
    "PrintableString": der.PRINTABLE_STRING,
    "IA5String": der.IA5_STRING,
    "BMPString": der.BMP_STRING,
}
_NUMBERS = {"INTEGER": der.INTEGER, "ENUMERATED": 0x0A}
_HEXADECIMAL = {"OCTET STRING": der.OCTET_STRING, "SEQUENCE": der.SEQUENCE}
_BOOLEANS = {"false": b"\x00", "true": b"\xff"}
_TEMPLATE_VERSION = (100, 1)

ValueType = Literal[
    "UTF8String",
    "PrintableString",
    "IA5String",
    "BMPString",
    "INTEGER",
    "ENUMERATED",
    "BOOLEAN",
    "NULL",
    "OBJECT IDENTIFIER",
    "OCTET STRING",
    "SEQUENCE",
    "SID",
    "certificate template",
]
"""SID is the security identifier in an otherName (MS-WCCE, 2.2.2.7.7.4), certificate template its OID."""


def encoded(kind: ValueType, text: str) -> bytes:
    """Return the DER of a value; ValueError if the text is none of its type."""
    if kind in _STRINGS:
        return der.string(_STRINGS[kind], text)
    if kind in _NUMBERS:
        return der.tlv(_NUMBERS[kind], der.contents(der.integer(_number(text))))
    if kind in _HEXADECIMAL:
        return der.tlv(_HEXADECIMAL[kind], bytes.fromhex(text))
    if kind == "BOOLEAN":
        if text not in _BOOLEANS:
            raise ValueError(f"'{text}' is neither true nor false")
        return der.tlv(der.BOOLEAN, _BOOLEANS[text])
    if kind == "NULL":
        if text:
            raise ValueError("a NULL has no value")
        return der.null()
    if kind == "SID":
        return microsoft.security_identifier(text)
    oid = parse_oid(text)
    if kind == "OBJECT IDENTIFIER":
        return der.oid(oid)
    return microsoft.certificate_template(oid, *_TEMPLATE_VERSION)


@decoder("the value of the extension")
def text_of(kind: ValueType, value: bytes) -> str:
    """Return a value as a text: bytes in hexadecimal; Malformed if it has another type."""
    what = "the value of the extension"
    if kind in _STRINGS:
        codec = "utf-16-be" if kind == "BMPString" else "utf-8" if kind == "UTF8String" else "ascii"
        return expect(value, _STRINGS[kind], what).decode(codec)
    if kind in _NUMBERS:
        return str(integer(der.tlv(der.INTEGER, expect(value, _NUMBERS[kind], what)), what))
    if kind in _HEXADECIMAL:
        return expect(value, _HEXADECIMAL[kind], what).hex()
    if kind == "BOOLEAN":
        return "false" if expect(value, der.BOOLEAN, what) == b"\x00" else "true"
    if kind == "NULL":
        return expect(value, der.NULL, what).hex()
    if kind == "SID":
        return security_identifier(value)
    if kind == "OBJECT IDENTIFIER":
        expect(value, der.OID, what)
        return der.dotted(value)
    return certificate_template(value)[0]


def another(kind: ValueType, text: str) -> str | None:
    """Return another value of the type; None if there is none."""
    if kind in _NUMBERS:
        return str(_number(text) + 1)
    if kind in _HEXADECIMAL:
        return f"{text}0500"
    if kind in ("OBJECT IDENTIFIER", "certificate template"):
        return f"{text}.1"
    if kind == "BOOLEAN":
        return "false" if text == "true" else "true"
    return None if kind == "NULL" else f"{text}x"


def _number(text: str) -> int:
    if len(text) > 100:
        raise ValueError("the number has more than 100 digits")
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a whole number") from None
