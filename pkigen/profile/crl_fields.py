"""The CRLs of an authority: how its own is divided, and CRLs with stated contents (RFC 5280, 5)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pkigen.asn1.oids import REASON_FLAGS
from pkigen.clock import parse_moment
from pkigen.documents.fields import Parsed, Schema, Value, unknown
from pkigen.profile.extension_fields import DistributionPoints, NotEmpty, RawExtension, ReasonFlag
from pkigen.profile.file_fields import ReadablePath
from pkigen.profile.name_fields import AnyName, DistinguishedName, RelativeName
from pkigen.profile.names import check_name
from pkigen.profile.time_fields import Instant, Length

REASONS = ("unspecified", *REASON_FLAGS[1:])
"""Of CRL entries (RFC 5280, 5.3.1), in the order of the flags of a CRL's scope."""
_SERIAL_BITS = 159
"""A number of 20 bytes (RFC 5280, 4.1.2.2)."""
_PARTS = ("base", "delta", "indirect", "reasons", "other-reasons")
_MOST_ENTRIES = 1000


def one_of(what: str, known: tuple[str, ...]) -> Parsed:
    """Return the annotation of a value that is one of some words."""

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(unknown(what, text, known))
        return str(text)

    return Parsed(parse, ", ".join(known))


def _parse_serial(text: str) -> int:
    digits, base = (text[2:].replace(":", ""), 16) if text[:2].lower() == "0x" else (text, 10)
    try:
        if not digits.removeprefix("-").isalnum():
            raise ValueError
        number = int(digits, base)
    except ValueError:
        raise ValueError(f"'{text}' is not a serial number such as 1000 or 0x0a1b") from None
    if not number or not -1 << _SERIAL_BITS <= number < 1 << _SERIAL_BITS:
        raise ValueError(f"'{text}' is not a serial number: it must not be zero, and has 20 bytes at most")
    return number


SerialNumber = Annotated[int, Parsed(_parse_serial, "a number, or hexadecimal digits after 0x")]
"""RFC 5280, 4.1.2.2, requires a positive number and asks clients to handle a negative one."""


class CrlSpec(Value):
    """An authority's CRLs: their lifetime, and how they are partitioned.

    ``delta`` is the lifetime of a delta CRL, ``partitions`` the number of CRLs that the certificates are
    divided into, ``reasons`` the reasons with a separate CRL, ``issuer`` another authority that lists this
    authority's revocations in an indirect CRL. ``previous`` is the last CRL of an imported
    authority from elsewhere.
    """

    valid: Length | None = None
    delta: Length | None = None
    partitions: Annotated[int, Field(ge=2, le=1000)] | None = None
    reasons: Annotated[tuple[ReasonFlag, ...], Field(min_length=1, max_length=7)] | None = None
    issuer: str | None = None
    previous: ReadablePath | None = Field(default=None, validation_alias="from")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = ("delta", "partitions", "reasons", "issuer")
        given = [name for name in ways if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"a CRL has one of {' and '.join(given)}: each says where its certificates lead")
        return self


def _parse_crl_name(text: str) -> str:
    if problem := check_name(text):
        raise ValueError(problem)
    if text in _PARTS or text.startswith("part-"):
        raise ValueError(f"'{text}' is the name of a CRL that `crl` publishes; choose another name")
    return text


class CrlEntrySpec(Value):
    """An entry of an additional CRL; a bare serial number if it has no other fields.

    ``issuer`` is the authority that issued the certificate; it applies to the entries that follow.
    """

    serial: SerialNumber
    reason: Annotated[str, one_of("reason", (*REASONS, "removeFromCRL"))] = "unspecified"
    at: Instant = parse_moment("-1h")
    issuer: str | None = None
    extensions: tuple[RawExtension, ...] = ()

    _short: ClassVar[Schema | None] = {"type": "string", "description": "a serial number"}

    @model_validator(mode="before")
    @classmethod
    def _from_serial(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"serial": value}


class CrlScope(NotEmpty):
    """The issuing distribution point of an additional CRL (5.2.5)."""

    names: tuple[AnyName, ...] = ()
    relative_name: RelativeName | None = None
    only: Literal["user", "ca", "attribute"] | None = None
    reasons: tuple[ReasonFlag, ...] = ()
    indirect: bool = False
    critical: bool = True

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.names and self.relative_name:
            raise ValueError(
                "a distribution point has names or a relative_name, not both (RFC 5280, 4.2.1.13)"
            )
        return self


class AdditionalCrlSpec(Value):
    """A CRL that an authority signs and publishes in addition to its own, with stated contents."""

    name: Annotated[str, Parsed(_parse_crl_name, "NAME")]
    issuer_name: DistinguishedName | None = None
    number: Annotated[int, Field(ge=0, le=2**63)] | None = None
    base: Annotated[int, Field(ge=0, le=2**63)] | None = None
    this_update: Instant | None = None
    next_update: Instant | None = None
    scope: CrlScope | None = None
    entries: Annotated[tuple[CrlEntrySpec, ...], Field(max_length=_MOST_ENTRIES)] = ()
    freshest_crl: DistributionPoints | None = None
    extensions: tuple[RawExtension, ...] = ()

    @model_validator(mode="after")
    def _newer_than_base(self) -> Self:
        if self.base is not None and (self.number is None or self.number < self.base):
            raise ValueError("a delta CRL needs a number that is not below its base (RFC 5280, 5.2.3)")
        return self
