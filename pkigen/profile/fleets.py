"""The section ``fleets``: certificates in such numbers that shards contain them, not a directory for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pkigen.documents.fields import Value
from pkigen.documents.yaml_tree import Table, locate
from pkigen.errors import Problem
from pkigen.formats.output_formats import incompatible
from pkigen.keys.kinds import parse_kind
from pkigen.profile.expansion import Body, Instance
from pkigen.profile.inheritance import without
from pkigen.profile.specifications import SELF, CertificateSpec, FaultField, RevokedSpec
from pkigen.profile.template import is_template

MOST_FLEETS = 100
MOST_CERTIFICATES = 10_000_000
NOT_IN_FLEETS = ("name", "csr", "serial", "each", "files", "formats", "key_format")
"""Keys of certificates that fleets cannot have."""
_SAMPLE = 20

FleetFormat = Literal["parquet", "csv", "jsonl", "sqlite", "tar", "pkcs12"]


class KeyPool(Value):
    """A number of keys that all certificates of a fleet share, and their kind."""

    pool: Annotated[int, Field(ge=1, le=100_000)]
    kind: str | None = None


class FleetRevocation(RevokedSpec):
    """The revocation of every n-th certificate of a fleet."""

    every: Annotated[int, Field(ge=1)]

    @model_validator(mode="before")
    @classmethod
    def _from_reason(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError("this must be a mapping such as {every: 10, reason: keyCompromise}")
        return value


class FleetFaults(Value):
    """The faults of every n-th certificate of a fleet, in turn."""

    every: Annotated[int, Field(ge=1)]
    of: Annotated[tuple[FaultField, ...], Field(min_length=1, max_length=100)]


class FleetSettings(Value):
    """The keys of a fleet that are not fields of a certificate, or that mean something else there."""

    count: Annotated[int, Field(ge=1, le=MOST_CERTIFICATES)]
    shard: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    to: Annotated[tuple[FleetFormat, ...], Field(min_length=1, max_length=6)] = ("jsonl",)
    revoked: FleetRevocation | None = None
    faults: FleetFaults | None = None
    key: KeyPool | None = None

    @field_validator("key", mode="before")
    @classmethod
    def _only_pools(cls, value: Any) -> Any:
        """Leave every other key to the fields of a certificate."""
        return value if is_pool(value) else None

    @field_validator("to")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for index, name in enumerate(value):
            if name in value[:index]:
                raise ValueError(f"'{name}' is listed twice")
        return value


def is_pool(key: object) -> bool:
    """Return whether the key of a fleet is a pool of keys."""
    return isinstance(key, dict) and ("pool" in key or "kind" in key)


def fields_of_certificates(own: Table) -> Table:
    """Return a fleet's body with only the fields of a certificate: those of its template."""
    key = own.get("key")
    fields = without(own, tuple(name for name in FleetSettings.model_fields if name != "key"))
    if not isinstance(key, Table) or not is_pool(key):
        return fields
    place = own.key_locations.get("key")
    if "kind" in key:
        fields.put("key", key["kind"], place)
        return fields
    return without(fields, ("key",))


@dataclass(frozen=True)
class Fleet:
    """A fleet: the template of its certificates, and its settings. Certificates are numbered from 1.

    ``own`` is its mapping in the document.
    """

    name: str
    body: Body[CertificateSpec]
    settings: FleetSettings
    own: Table

    @property
    def width(self) -> int:
        """The number of digits in the names of its certificates."""
        return len(str(self.settings.count))

    def instance(self, index: int) -> Instance:
        """Return one certificate's name and template variables."""
        number = f"{index:0{self.width}}"
        name = f"{self.name}-{number}"
        variables = {**self.body.common, "index": str(index), "number": number, "name": name}
        return Instance(name, variables, None)

    def specification(self, index: int) -> CertificateSpec:
        """Return the specification of one certificate; raise InstanceError with all its problems."""
        return self.body.specification(self.instance(index))

    def index_of(self, name: str) -> int | None:
        """Return the number of the certificate with a name; None if it is not in the fleet."""
        prefix, _, digits = name.rpartition("-")
        if prefix != self.name or len(digits) != self.width or not (digits.isascii() and digits.isdigit()):
            return None
        return int(digits) if 1 <= int(digits) <= self.settings.count else None

    def problem(self, path: tuple[str | int, ...], message: str) -> Problem:
        """Return a problem with a key of its mapping."""
        place = locate(self.own, path) or self.own.location
        return Problem(message, ".".join(("fleets", self.name, *map(str, path))), place)

    def sample(self) -> Iterator[int]:
        """Return the certificates that stand for all of them in checks: first, last, and some between."""
        count = self.settings.count
        steps = range(_SAMPLE) if count > _SAMPLE else range(count)
        last = max(len(steps) - 1, 1)
        yield from dict.fromkeys(1 + step * (count - 1) // last for step in steps)


def fleet_errors(fleet: Fleet, spec: CertificateSpec) -> Iterator[tuple[tuple[str, ...], str, None]]:
    """Yield (path in the body, error, None) for fields that a certificate can have, and a fleet cannot."""
    if spec.issuer == SELF:
        yield ("issuer",), "a CA must issue the certificates of a fleet", None
    if spec.given_key is not None:
        yield (
            ("key",),
            "a key file is for one certificate; give the kind of the keys, or {pool: NUMBER}",
            None,
        )
    for key in ("key", "issuer"):
        if is_template(str(fleet.body.tree.get(key, ""))):
            yield (key,), "this is the same for a whole fleet and cannot contain a template", None
    if "pkcs12" in fleet.settings.to and (words := incompatible(parse_kind(spec.key), "pkcs12")):
        yield ("to",), words, None
