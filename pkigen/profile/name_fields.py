"""Names in a profile: distinguished names and GeneralNames (RFC 5280, 4.1.2.4 and 4.2.1.6)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated, Any
from uuid import UUID

from pkigen.asn1 import der
from pkigen.asn1.der import BMP_STRING, IA5_STRING, PRINTABLE_STRING, TELETEX_STRING
from pkigen.asn1.names import ATTRIBUTE_TYPES, SIZES, STRING_TYPES
from pkigen.documents.fields import OID, KeyedError, Parsed, parse_oid, unknown
from pkigen.profile import value_hints as values
from pkigen.profile.key_hints import OTHER_ATTRIBUTE_NAMES, normalized

Pairs = tuple[tuple[str, str], ...]

_DNS = re.compile(
    r"(\*\.|\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
_NEVER = re.compile("[\0\ud800-\udfff]")
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_NARROW = {TELETEX_STRING: 0xFF, BMP_STRING: 0xFFFF}
"""The highest character of a string type, and below, the name of the type."""
_NARROW_NAMES = {TELETEX_STRING: "TeletexString", BMP_STRING: "BMPString"}
_LONGEST_QUOTE = 100
_KINDS = ("dns", "ip", "email", "uri", "upn", "rid", "srv", "krb5", "smtputf8", "hardware", "ntds")


_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_ADDRESSES = {
    "upn": "a user principal name such as user@a.test",
    "krb5": "a Kerberos principal such as HTTP/a.test@REALM",
    "smtputf8": "an e-mail address",
}
"""Kinds with a user, an ``@`` and a domain, which other names contain as text in UTF-8, and an example."""
_SERVICE = re.compile(r"_[A-Za-z0-9-]{1,62}\.[A-Za-z0-9_.-]{1,253}")


def parse_uri(text: str) -> str:
    """Return a URI that is a valid IA5String."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", text):
        raise ValueError(f"'{text}' is not an absolute URI of ASCII characters without spaces")
    return str(text)


def parse_hex(text: str, what: str = "the DER") -> bytes:
    """Return bytes that are written in hexadecimal."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{what} is written in hexadecimal digits, two for each byte") from None


def distinguished_name(value: Any) -> Pairs:
    """Return (attribute type, value) in order, from a mapping; a list gives several values of one type.

    An empty value omits the attribute. ``CN+UID: [a.test, "4711"]`` is one RDN with several attributes; all
    types of an RDN except the first begin with ``+``. ``O: {printable: Contoso}`` states the string type of a
    value; the type is then ``O:printable``.
    """
    if not isinstance(value, dict):
        example = f"; write {{CN: {value}}}" if values.plain(value) else ""
        raise ValueError(f"a name is a mapping such as {{C: US, O: Contoso Inc., CN: a.test}}{example}")
    pairs = list[tuple[str, str]]()
    for kind, texts in value.items():
        if "+" in kind:
            pairs += _one_rdn(kind, texts)
            continue
        if kind not in ATTRIBUTE_TYPES and not OID.fullmatch(kind):
            if (meant := OTHER_ATTRIBUTE_NAMES.get(normalized(kind))) and kind != meant:
                raise KeyedError(kind, f"no such attribute type: '{kind}'; write {meant}")
            raise KeyedError(kind, unknown("attribute type", kind, tuple(ATTRIBUTE_TYPES)))
        for value_of_kind in texts if isinstance(texts, list) else [texts]:
            string_type, text = _typed_string(kind, value_of_kind)
            if text:
                pairs.append(_pair(kind, string_type, text))
    return tuple(pairs)


@lru_cache(maxsize=512)
def _pair(kind: str, string_type: str, text: str) -> tuple[str, str]:
    """Return an attribute type and its value; cached, since many names share most of their attributes."""
    if problem := _problem_of(kind, text, string_type):
        raise KeyedError(kind, problem)
    return f"{kind}:{string_type}" if string_type else str(kind), str(text)


def _typed_string(kind: str, value: Any) -> tuple[str, str]:
    """Return the string type of an attribute value, "" for the default, and the text."""
    if isinstance(value, dict) and len(value) == 1:
        ((string_type, text),) = value.items()
        if string_type not in STRING_TYPES:
            raise KeyedError(kind, unknown("string type", str(string_type), tuple(STRING_TYPES)))
        if isinstance(text, str):
            return str(string_type), text
    elif isinstance(value, str):
        return "", value
    raise KeyedError(
        kind, f"the value of {kind} must be a text, or a string type and a text: {{utf8: Contoso}}"
    )


def _one_rdn(kinds: str, texts: Any) -> Iterator[tuple[str, str]]:
    """Yield the attributes of an RDN whose types are joined by ``+``; each needs its own value."""
    types = kinds.split("+")
    if not isinstance(texts, list) or len(texts) != len(types):
        raise ValueError(f"{kinds} is one RDN and needs a list of {len(types)} values, one for each type")
    if len(set(types)) < len(types):
        raise ValueError(f"{kinds} names an attribute type twice, which one RDN cannot (X.501)")
    for number, (kind, text) in enumerate(zip(types, texts, strict=True)):
        try:
            pairs = distinguished_name({kind: text})
        except KeyedError as error:
            raise KeyedError(kinds, str(error)) from error
        if len(pairs) != 1:
            raise ValueError(f"{kinds}: the value of {kind} must be one text that is not empty")
        ((typed, value),) = pairs
        yield f"+{typed}" if number else typed, value


def _problem_of(kind: str, text: str, string_type: str) -> str:
    """Return why an attribute cannot have a value (RFC 5280, appendix A.1), or an empty string."""
    oid, tag = ATTRIBUTE_TYPES.get(kind, (kind, 0))
    tag = STRING_TYPES.get(string_type, tag)
    if tag == PRINTABLE_STRING and not _PRINTABLE.fullmatch(text):
        return f"{kind} is a PrintableString, which cannot hold '{text}'"
    if tag == IA5_STRING and not text.isascii():
        return f"{kind} is an IA5String, which cannot hold '{text}'"
    if tag in _NARROW and any(ord(character) > _NARROW[tag] for character in text):
        return f"{kind} is a {_NARROW_NAMES[tag]}, which cannot hold '{text}'"
    if _NEVER.search(text):
        return f"{kind} holds a character that no name can"
    smallest, largest = SIZES.get(oid, (1, len(text)))
    if smallest <= len(text) <= largest:
        return ""
    limit = f"exactly {largest}" if smallest == largest else f"at most {largest}"
    advice = "; put longer host names into san" if kind == "CN" else ""
    value = text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}..."
    return f"{kind} '{value}' has {len(text)} characters, but RFC 5280, A.1, allows {limit}{advice}"


@dataclass(frozen=True, slots=True)
class GeneralName:
    """A name: its kind (dns, ip, email, uri, upn, rid, srv, krb5, smtputf8, hardware ...) and its value.

    The other kinds are ntds, dirname and other. The value of a dirname consists of pairs, that of ``other``
    is (OID, DER in hexadecimal digits).
    """

    kind: str
    value: str | Pairs


def parse_general_name(value: Any, *, constraint: bool = False) -> GeneralName:
    """Return a general name from ``kind:value``, ``{dirname: {...}}`` or ``{other: {oid, der}}``.

    As a base of name constraints, an ``ip`` is a network, and a name may begin with a dot.
    """
    if isinstance(value, dict):
        if list(value) == ["other"]:
            return GeneralName("other", _other_name(value["other"]))
        if list(value) != ["dirname"]:
            raise ValueError(
                "write a mapping as {dirname: {O: Contoso Inc.}} or {other: {oid: OID, der: HEX}}"
            )
        return GeneralName("dirname", distinguished_name(value["dirname"]))
    if not isinstance(value, str):
        raise ValueError("a name is a text such as dns:a.test")
    kind, colon, rest = value.partition(":")
    if not colon or kind not in _KINDS:
        if meant := values.general_name(value, constraint=constraint):
            raise ValueError(f"'{value}' does not begin with a kind such as dns: or ip:; write {meant}")
        raise ValueError(f"'{value}' must begin with one of {': '.join(_KINDS)}:")
    return GeneralName(kind, _general_name_value(kind, str(rest), constraint))


def _general_name_value(kind: str, text: str, constraint: bool) -> str:
    if kind == "ip":
        try:
            if "%" in text:
                raise ValueError
            return str(ip_network(text, strict=False) if constraint else ip_address(text))
        except ValueError:
            what = "a network such as 10.0.0.0/8" if constraint else "an IP address"
            raise ValueError(f"'{text}' is not {what}") from None
    if kind == "rid":
        return parse_oid(text)
    if kind in _ADDRESSES:
        if not _ADDRESS.fullmatch(text):
            raise ValueError(f"'{text}' is not {_ADDRESSES[kind]}")
        return text
    if kind == "ntds":
        return _object_guid(text)
    if kind == "hardware":
        return _hardware_module(text)
    return _ascii_name(kind, text, constraint)


def _object_guid(text: str) -> str:
    """Return the objectGUID of a domain controller in its usual form."""
    try:
        return str(UUID(text))
    except ValueError:
        example = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
        raise ValueError(f"'{text}' is not a GUID such as {example}") from None


def _hardware_module(text: str) -> str:
    """Return a hardware module name (RFC 4108, 5): the OID of its type and a serial number."""
    oid, slash, serial = text.partition("/")
    if not slash or serial in ("", "0x") or not serial.isascii() or not serial.isprintable():
        raise ValueError(
            f"'{text}' is not a hardware module name: the OID of its type and a serial number, "
            "as in 1.3.6.1.4.1.40732.1.1/SN-4711 or 1.3.6.1.4.1.40732.1.1/0x0a1b"
        )
    parse_oid(oid)
    if serial.startswith("0x"):
        parse_hex(serial[2:], "the serial number")
    return text


def _ascii_name(kind: str, text: str, constraint: bool) -> str:
    if not text.isascii():
        raise ValueError(f"'{text}' is not ASCII; write a host name in its xn-- form")
    if kind == "uri":
        return text if constraint else parse_uri(text)
    if kind == "srv" and not constraint and not _SERVICE.fullmatch(text):
        raise ValueError(f"'{text}' is not a service name such as _ldap.a.test (RFC 4985)")
    if kind == "email" and not constraint and not _ADDRESS.fullmatch(text):
        raise ValueError(f"'{text}' is not an e-mail address")
    if kind == "dns" and not constraint and re.fullmatch(r"[0-9.]+", text):
        raise ValueError(f"'{text}' is an address: write ip:{text}")
    if kind == "dns" and not (_is_host(text, constraint) or (constraint and not text)):
        raise ValueError(f"'{text}' is not a host name")
    return text


def _other_name(value: Any) -> Pairs:
    if not isinstance(value, dict) or value.keys() != {"oid", "der"}:
        raise ValueError("another name is written {other: {oid: 1.3.6.1.5.2.2, der: HEX}}")
    data = parse_hex(str(value["der"]))
    try:
        complete = der.read(data)[2] == len(data)
    except (ValueError, IndexError):
        complete = False
    if not complete:
        raise ValueError(f"'{value['der']}' is not one complete DER value")
    return ((parse_oid(str(value["oid"])), data.hex()),)


def _is_host(text: str, constraint: bool) -> bool:
    if len(text) > 253 or (text.startswith(".") and not constraint):
        return False
    return bool(_DNS.fullmatch(text))


def _parse_constraint(value: Any) -> GeneralName:
    return parse_general_name(value, constraint=True)


@lru_cache(maxsize=256)
def name_of_host(text: str, single_label: bool = True) -> GeneralName | None:
    """Return a host name or an IP address as a GeneralName, None for other texts.

    Without ``single_label``, a name of one label is not taken for a host: it may be that of a person.
    """
    if not single_label and "." not in text and ":" not in text:
        return None
    if _HOST_NAME.fullmatch(text) and not text.rpartition(".")[2].isdecimal():
        return GeneralName("dns", text)
    try:
        return GeneralName("ip", str(ip_address(text)))
    except ValueError:
        return None


AnyName = Annotated[GeneralName, Parsed(parse_general_name, "dns:a.test, ip:10.0.0.1 ...", "")]
Subtree = Annotated[GeneralName, Parsed(_parse_constraint, "dns:a.test, ip:10.0.0.0/8 ...", "")]
DistinguishedName = Annotated[Pairs, Parsed(distinguished_name, "{C: US, CN: a.test}", "object")]


def _relative_name(value: Any) -> Pairs:
    pairs = distinguished_name(value)
    if not pairs or any(not kind.startswith("+") for kind, _ in pairs[1:]):
        raise ValueError("a relative name has one RDN, such as {CN: CRL1}")
    return pairs


RelativeName = Annotated[Pairs, Parsed(_relative_name, "{CN: CRL1}", "object")]
