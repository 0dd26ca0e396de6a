"""The policy extensions of a profile (RFC 5280, 4.2.1.4, 4.2.1.5, 4.2.1.11 and 4.2.1.14)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from pkigen.documents.fields import Schema, Value
from pkigen.profile.extension_fields import AT_LEAST_ONE, Listed, NotEmpty, Oid, Uri


class Policy(Value):
    """A certificate policy with its qualifiers; a bare OID if it has none."""

    oid: Oid
    cps: tuple[Uri, ...] = ()
    notice: Annotated[str, Field(max_length=1000)] | None = None

    _short: ClassVar[Schema | None] = {
        "type": "string",
        "description": "a policy by its OID",
    }

    @model_validator(mode="before")
    @classmethod
    def _from_oid(cls, value: Any) -> Any:
        return {"oid": value} if isinstance(value, str) else value


class Policies(Listed):
    """Certificate policies (4.2.1.4)."""

    _list = "policies"
    _example = "[2.23.140.1.2.1]"
    policies: Annotated[tuple[Policy, ...], AT_LEAST_ONE]
    critical: bool = False


class PolicyMapping(Value):
    """One pair of a policy mapping."""

    issuer: Oid
    subject: Oid


class PolicyMappings(Listed):
    """Policy mappings (4.2.1.5)."""

    _list = "mappings"
    _example = "[{issuer: 1.2.3, subject: 1.2.4}]"
    mappings: Annotated[tuple[PolicyMapping, ...], AT_LEAST_ONE]
    critical: bool = True


_SKIP = Annotated[int, Field(ge=0, le=2**31)]


class PolicyConstraints(NotEmpty):
    """Policy constraints (4.2.1.11)."""

    require_explicit: _SKIP | None = None
    inhibit_mapping: _SKIP | None = None
    critical: bool = True


class InhibitAnyPolicy(Value):
    """Inhibit anyPolicy (4.2.1.14); usually a bare number."""

    skip: _SKIP
    critical: bool = True

    _short: ClassVar[Schema | None] = {"type": "integer"}

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"skip": value}
