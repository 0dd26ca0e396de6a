"""The extension fields of a profile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from pkigen.asn1 import der
from pkigen.asn1.der import IA5_STRING, PRINTABLE_STRING
from pkigen.asn1.names import ATTRIBUTE_TYPES, SIZES
from pkigen.asn1.oids import EXTENDED_KEY_USAGES, KEY_USAGES, REASON_FLAGS
from pkigen.documents import limits
from pkigen.documents.fields import (
    OID,
    KeyedError,
    Parsed,
    Schema,
    Value,
    parse_oid,
    unknown,
)

Pairs = tuple[tuple[str, str], ...]

_DNS = re.compile(
    r"(\*\.|\.)?([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z)(\*\.)?{_LABEL}(\.{_LABEL})*", re.IGNORECASE)
_NEVER = re.compile("[\0\ud800-\udfff]")
_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]*")
_LONGEST_QUOTE = 100
_KINDS = ("dns", "ip", "email", "uri", "upn", "rid", "srv", "krb5", "smtputf8")


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


def _parse_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError("the DER is written in hexadecimal digits, two for each byte") from None


AT_LEAST_ONE = Field(min_length=1)
"""RFC 5280 requires at least one element in these lists (SIZE (1..MAX)); ``none`` omits the extension."""

Oid = Annotated[str, Parsed(parse_oid, "a dotted object identifier")]
Uri = Annotated[str, Parsed(parse_uri, "an absolute URI")]


def distinguished_name(value: Any) -> Pairs:
    """Return (attribute type, value) in order, from a mapping; a list gives several values of one type.

    An empty value omits the attribute. ``CN+UID: [a.test, "4711"]`` is one RDN with several attributes; all
    types of an RDN except the first begin with ``+``.
    """
    if not isinstance(value, dict):
        raise ValueError("a name is a mapping such as {C: US, O: Contoso Inc., CN: a.test}")
    pairs = list[tuple[str, str]]()
    for kind, texts in value.items():
        if "+" in kind:
            pairs += _one_rdn(kind, texts)
            continue
        if kind not in ATTRIBUTE_TYPES and not OID.fullmatch(kind):
            raise KeyedError(kind, unknown("attribute type", kind, tuple(ATTRIBUTE_TYPES)))
        for text in texts if isinstance(texts, list) else [texts]:
            if not isinstance(text, str):
                raise KeyedError(kind, f"the value of {kind} must be a text")
            if text and (problem := _problem_of(kind, text)):
                raise KeyedError(kind, problem)
            if text:
                pairs.append((str(kind), str(text)))
    return tuple(pairs)


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
        yield f"+{kind}" if number else kind, pairs[0][1]


def _problem_of(kind: str, text: str) -> str:
    """Return why an attribute cannot have a value (RFC 5280, appendix A.1), or an empty string."""
    oid, tag = ATTRIBUTE_TYPES.get(kind, (kind, 0))
    if tag == PRINTABLE_STRING and not _PRINTABLE.fullmatch(text):
        return f"{kind} is a PrintableString, which cannot hold '{text}'"
    if tag == IA5_STRING and not text.isascii():
        return f"{kind} is an IA5String, which cannot hold '{text}'"
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
    """A name of one of the kinds dns, ip, email, uri, upn, rid, srv, krb5, smtputf8, dirname, other.

    The value of a dirname consists of pairs, that of ``other`` is (OID, DER in hexadecimal digits).
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
    return _ascii_name(kind, text, constraint)


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
    data = _parse_hex(str(value["der"]))
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


class Listed(Value):
    """A value with a short form as a bare list; ``_list`` is the field for the list."""

    _list: ClassVar[str]
    _short: ClassVar[Schema | None] = {"type": "array"}

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {cls._list: value}
        if not isinstance(value, dict):
            raise ValueError(f"this must be a list, or a mapping with {cls._list}")
        return value


class NotEmpty(Value):
    """A value whose fields are optional, but not all of them at once."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(value is None or value is False or value == () for key, value in self if key != "critical"):
            fields = ", ".join(key for key in type(self).model_fields if key != "critical")
            raise ValueError(f"this says nothing: give {fields}, or none to leave it out")
        return self


class GeneralNames(Listed):
    """Subject alternative names (RFC 5280, 4.2.1.6)."""

    _list = "names"
    names: Annotated[tuple[AnyName, ...], Field(max_length=limits.ALTERNATIVE_NAMES)]
    critical: bool | None = None
    """None means critical if the subject is empty (RFC 5280, 4.2.1.6), otherwise not critical."""


def _parse_usage(text: str) -> str:
    name = "nonRepudiation" if text == "contentCommitment" else text
    if name not in KEY_USAGES:
        raise ValueError(unknown("key usage", text, KEY_USAGES))
    return str(name)


def _parse_purpose(text: str) -> str:
    if text not in EXTENDED_KEY_USAGES and not OID.fullmatch(text):
        raise ValueError(unknown("extended key usage", text, tuple(EXTENDED_KEY_USAGES)))
    return str(text)


def _parse_reason_flag(text: str) -> str:
    if text not in REASON_FLAGS[1:]:
        raise ValueError(unknown("reason", text, REASON_FLAGS[1:]))
    return str(text)


ReasonFlag = Annotated[str, Parsed(_parse_reason_flag, ", ".join(REASON_FLAGS[1:]))]


class KeyUsage(Listed):
    """Key usage (4.2.1.3), by RFC 5280's names of its bits."""

    _list = "usages"
    usages: Annotated[tuple[Annotated[str, Parsed(_parse_usage, ", ".join(KEY_USAGES))], ...], AT_LEAST_ONE]
    critical: bool = True


class ExtendedKeyUsage(Listed):
    """Extended key usage (4.2.1.12), by name or OID."""

    _list = "usages"
    usages: Annotated[
        tuple[Annotated[str, Parsed(_parse_purpose, ", ".join(EXTENDED_KEY_USAGES))], ...], AT_LEAST_ONE
    ]
    critical: bool = False

    @property
    def permits_servers(self) -> bool:
        """Whether a TLS server can use the certificate."""
        return "serverAuth" in self.usages or "any" in self.usages


class BasicConstraints(Value):
    """Basic constraints (4.2.1.9)."""

    ca: bool
    path_length: Annotated[int, Field(ge=0, le=2**31)] | None = None
    critical: bool = True


class NameConstraints(NotEmpty):
    """Name constraints (4.2.1.10)."""

    permitted: tuple[Subtree, ...] = ()
    excluded: tuple[Subtree, ...] = ()
    critical: bool = True


class AccessLocations(NotEmpty):
    """Authority information access (4.2.2.1); ``auto`` names the issuer's certificate as served."""

    ca_issuers: tuple[Uri, ...] = ()
    ocsp: tuple[Uri, ...] = ()
    auto: bool = False

    _short: ClassVar[Schema | None] = {"const": "auto"}

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"auto": True} if value == "auto" else value


class DistributionPoint(Value):
    """A distribution point; a bare URI if it has no other fields."""

    uris: tuple[Uri, ...] = ()
    reasons: tuple[ReasonFlag, ...] = ()
    crl_issuer: DistinguishedName | None = None

    _short: ClassVar[Schema | None] = {"type": "string", "description": "a point that is one URI"}

    @model_validator(mode="before")
    @classmethod
    def _from_uri(cls, value: Any) -> Any:
        return {"uris": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not self.uris and not self.crl_issuer:
            raise ValueError("a distribution point needs uris or crl_issuer (RFC 5280, 4.2.1.13)")
        return self


class DistributionPoints(Listed):
    """CRL distribution points (4.2.1.13) and freshest CRL (4.2.1.15)."""

    _list = "points"
    points: Annotated[tuple[DistributionPoint, ...], AT_LEAST_ONE]
    critical: bool = False


class RawExtension(Value):
    """An extension as raw DER, for extensions without a field of their own."""

    oid: Oid
    critical: bool = False
    der: Annotated[bytes, Parsed(_parse_hex, "the DER inside extnValue, hexadecimal")]
