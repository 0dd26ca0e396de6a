"""The extension fields of a profile."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from pkigen.asn1.oids import EXTENDED_KEY_USAGES, KEY_USAGES, REASON_FLAGS
from pkigen.documents import limits
from pkigen.documents.fields import OID, Parsed, Schema, Value, close_to, parse_oid, unknown
from pkigen.profile.name_fields import (
    AnyName,
    DistinguishedName,
    RelativeName,
    Subtree,
    parse_hex,
    parse_uri,
)
from pkigen.profile.value_hints import general_names, plain_list

AT_LEAST_ONE = Field(min_length=1)
"""RFC 5280 requires at least one element in these lists (SIZE (1..MAX)); ``none`` omits the extension."""

Oid = Annotated[str, Parsed(parse_oid, "a dotted object identifier")]
Uri = Annotated[str, Parsed(parse_uri, "an absolute URI")]


class Listed(Value):
    """A value with a short form as a bare list; ``_list`` is the field for the list, with an example."""

    _list: ClassVar[str]
    _example: ClassVar[str]
    _short: ClassVar[Schema | None] = {"type": "array"}

    @model_validator(mode="before")
    @classmethod
    def _from_list(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {cls._list: value}
        if not isinstance(value, dict) or not any(close_to(key, (cls._list,)) for key in value):
            example = cls._written(value) or cls._example
            raise ValueError(f"this must be a list, or a mapping with {cls._list}; write {example}")
        return value

    @staticmethod
    def _written(value: Any) -> str | None:
        """Return the list that a value of another type probably means."""
        return None if isinstance(value, dict) else plain_list(value)


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
    _example = "[dns:a.test, ip:192.0.2.1]"
    _written = staticmethod(general_names)
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
    _example = "[digitalSignature]"
    usages: Annotated[tuple[Annotated[str, Parsed(_parse_usage, ", ".join(KEY_USAGES))], ...], AT_LEAST_ONE]
    critical: bool = True


class ExtendedKeyUsage(Listed):
    """Extended key usage (4.2.1.12), by name or OID."""

    _list = "usages"
    _example = "[serverAuth]"
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
    names: tuple[AnyName, ...] = ()
    relative_name: RelativeName | None = None
    reasons: tuple[ReasonFlag, ...] = ()
    crl_issuer: DistinguishedName | None = None

    _short: ClassVar[Schema | None] = {"type": "string", "description": "a point that is one URI"}

    @model_validator(mode="before")
    @classmethod
    def _from_uri(cls, value: Any) -> Any:
        return {"uris": [value]} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not (self.uris or self.names or self.relative_name or self.crl_issuer):
            raise ValueError("a distribution point needs uris, names or crl_issuer (RFC 5280, 4.2.1.13)")
        if self.relative_name and (self.uris or self.names):
            raise ValueError(
                "a distribution point has names or a relative_name, not both (RFC 5280, 4.2.1.13)"
            )
        return self


class DistributionPoints(Listed):
    """CRL distribution points (4.2.1.13) and freshest CRL (4.2.1.15)."""

    _list = "points"
    _example = "[http://a.test/ca.crl]"
    points: Annotated[tuple[DistributionPoint, ...], AT_LEAST_ONE]
    critical: bool = False


class RawExtension(Value):
    """An extension as raw DER, for extensions without a field of their own."""

    oid: Oid
    critical: bool = False
    der: Annotated[bytes, Parsed(parse_hex, "the DER inside extnValue, hexadecimal")]
