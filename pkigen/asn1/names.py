"""Distinguished names (RFC 5280, 4.1.2.4): attribute types, their string types, and DER."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable
from functools import lru_cache

from pkigen.asn1 import der
from pkigen.model import Attribute, Name

ATTRIBUTE_TYPES: dict[str, tuple[str, int]] = {
    "CN": ("2.5.4.3", der.UTF8_STRING),
    "SN": ("2.5.4.4", der.UTF8_STRING),
    "serialNumber": ("2.5.4.5", der.PRINTABLE_STRING),
    "C": ("2.5.4.6", der.PRINTABLE_STRING),
    "L": ("2.5.4.7", der.UTF8_STRING),
    "ST": ("2.5.4.8", der.UTF8_STRING),
    "street": ("2.5.4.9", der.UTF8_STRING),
    "O": ("2.5.4.10", der.UTF8_STRING),
    "OU": ("2.5.4.11", der.UTF8_STRING),
    "title": ("2.5.4.12", der.UTF8_STRING),
    "businessCategory": ("2.5.4.15", der.UTF8_STRING),
    "postalCode": ("2.5.4.17", der.UTF8_STRING),
    "name": ("2.5.4.41", der.UTF8_STRING),
    "givenName": ("2.5.4.42", der.UTF8_STRING),
    "initials": ("2.5.4.43", der.UTF8_STRING),
    "generationQualifier": ("2.5.4.44", der.UTF8_STRING),
    "dnQualifier": ("2.5.4.46", der.PRINTABLE_STRING),
    "pseudonym": ("2.5.4.65", der.UTF8_STRING),
    "organizationIdentifier": ("2.5.4.97", der.UTF8_STRING),
    "UID": ("0.9.2342.19200300.100.1.1", der.UTF8_STRING),
    "DC": ("0.9.2342.19200300.100.1.25", der.IA5_STRING),
    "emailAddress": ("1.2.840.113549.1.9.1", der.IA5_STRING),
    "jurisdictionC": ("1.3.6.1.4.1.311.60.2.1.3", der.PRINTABLE_STRING),
    "jurisdictionST": ("1.3.6.1.4.1.311.60.2.1.2", der.UTF8_STRING),
    "jurisdictionL": ("1.3.6.1.4.1.311.60.2.1.1", der.UTF8_STRING),
}
"""Short name -> OID and default string type (RFC 5280, appendix A.1)."""

_SIZES = {
    **dict.fromkeys(("SN", "name", "givenName", "initials", "generationQualifier"), (1, 32768)),
    **dict.fromkeys(("CN", "O", "OU", "title", "serialNumber"), (1, 64)),
    **dict.fromkeys(("L", "ST", "street", "pseudonym", "businessCategory"), (1, 128)),
    **dict.fromkeys(("C", "jurisdictionC"), (2, 2)),
    **dict.fromkeys(("jurisdictionST", "jurisdictionL"), (1, 128)),
    "postalCode": (1, 16),
    "emailAddress": (1, 255),
}
SIZES = {ATTRIBUTE_TYPES[short][0]: size for short, size in _SIZES.items()}
"""OID -> smallest and largest number of characters (RFC 5280, appendix A.1; the rest X.520, which has 40
for a postal code where appendix A.1 has 16)."""

STRING_TYPES = {
    "utf8": der.UTF8_STRING,
    "printable": der.PRINTABLE_STRING,
    "ia5": der.IA5_STRING,
    "teletex": der.TELETEX_STRING,
    "bmp": der.BMP_STRING,
    "universal": der.UNIVERSAL_STRING,
}
"""The string types that a profile can state for a value of a name."""

COMMON_NAME = "2.5.4.3"
SHORT_NAMES = {oid: short for short, (oid, _) in ATTRIBUTE_TYPES.items()}
_CODECS = {
    der.UTF8_STRING: "utf-8",
    der.PRINTABLE_STRING: "ascii",
    der.IA5_STRING: "ascii",
    der.TELETEX_STRING: "latin-1",
    der.BMP_STRING: "utf-16-be",
    der.UNIVERSAL_STRING: "utf-32-be",
}


def name(pairs: Iterable[tuple[str, str]]) -> Name:
    """Return a name with one attribute per RDN, from (short name or dotted OID, value) in order.

    A type that begins with ``+`` adds its attribute to the RDN before it; one that ends with ``:`` and a
    string type, such as ``O:printable``, states that of its value.
    """
    rdns = list[tuple[Attribute, ...]]()
    for kind, value in pairs:
        rdn = _rdn(kind.removeprefix("+"), value)
        if rdns and kind.startswith("+"):
            rdn = rdns.pop() + rdn
        rdns.append(rdn)
    return tuple(rdns)


@lru_cache(maxsize=512)
def _rdn(kind: str, value: str) -> tuple[Attribute, ...]:
    plain, _, string_type = kind.partition(":")
    oid, tag = ATTRIBUTE_TYPES.get(plain, (plain, der.UTF8_STRING))
    return (Attribute(oid, value, STRING_TYPES.get(string_type, tag)),)


def encode(value: Name) -> bytes:
    """Return the DER encoding of a Name."""
    return der.sequence(*map(_encode_rdn, value))


@lru_cache(maxsize=512)
def _encode_rdn(rdn: tuple[Attribute, ...]) -> bytes:
    """Cached, since many names share most of their attributes."""
    return der.set_of(*map(_encode_attribute, rdn))


def _encode_attribute(attribute: Attribute) -> bytes:
    value = attribute.value
    if isinstance(value, bytes):
        return der.sequence(der.oid(attribute.oid), der.tlv(attribute.tag, value))
    return der.sequence(der.oid(attribute.oid), der.string(attribute.tag, value))


def decode(data: bytes) -> Name:
    """Return the Name in ``data``; a value that is invalid for its string type remains bytes."""
    rdns = []
    for rdn in der.children(data):
        attributes = []
        for attribute in der.children(rdn):
            oid, value = der.children(attribute)
            tag, octets = value[0], der.contents(value)
            try:
                text: str | bytes = octets.decode(_CODECS[tag])
            except (KeyError, UnicodeDecodeError):
                text = octets
            attributes.append(Attribute(der.dotted(oid), text, tag))
        rdns.append(tuple(attributes))
    return tuple(rdns)


def values(value: Name, oid: str) -> tuple[str, ...]:
    """Return the values of an attribute type, in order; bytes are shown as ``#`` and hex."""
    return tuple(_printable(attribute.value) for rdn in value for attribute in rdn if attribute.oid == oid)


_SPECIAL_IN_RFC4514 = re.compile(r'[,+"\\<>;]|^[ #]| $')


def text(value: Name) -> str:
    """Return the name for people, in encoded order: ``C=US, O=Contoso Inc., CN=...``."""
    parts = []
    for rdn in value:
        attributes = (f"{SHORT_NAMES.get(a.oid, a.oid)}={_printable(a.value)}" for a in rdn)
        parts.append(" + ".join(attributes))
    return ", ".join(parts)


def rfc4514(value: Name) -> str:
    """Return the string representation for LDAP, the last RDN first: ``CN=...,O=Contoso Inc.,C=US``."""
    rdns = (
        "+".join(f"{SHORT_NAMES.get(a.oid, a.oid)}={_escaped(a.value)}" for a in rdn)
        for rdn in reversed(value)
    )
    return ",".join(rdns)


def _escaped(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return _printable(value)
    return _SPECIAL_IN_RFC4514.sub(r"\\\g<0>", value).replace("\0", "\\00")


def normalized(value: Name) -> Hashable:
    """Return a form that is equal for names that match (RFC 5280, 7.1; RFC 4518).

    String types, case, runs of spaces and the order within an RDN do not matter.
    """
    return tuple(frozenset((attribute.oid, _prepared(attribute)) for attribute in rdn) for rdn in value)


def _prepared(attribute: Attribute) -> Hashable:
    if isinstance(attribute.value, bytes):
        return attribute.tag, attribute.value
    text = unicodedata.normalize("NFKC", attribute.value).casefold()
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _printable(value: str | bytes) -> str:
    return value if isinstance(value, str) else "#" + value.hex()
