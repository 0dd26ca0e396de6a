"""The data model of a requirement set: each requirement cites a section of the appliance's documentation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from pkigen.documents.fields import Parsed, Value, unknown
from pkigen.requirements.demand import Demand
from pkigen.requirements.demands import KINDS

_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?")


def _parse_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"'{text}' is not a valid ID: use lowercase letters, digits and hyphens, at most 50")
    return str(text)


Id = Annotated[str, Parsed(_parse_id, "lowercase letters, digits and hyphens")]
Words = Annotated[str, Field(min_length=1, max_length=1000)]


class Level(StrEnum):
    """What the appliance does with a certificate that violates a requirement."""

    REJECTED = "rejected"
    UNSUPPORTED = "unsupported"
    ADVICE = "advice"


class Together(Value):
    """Requirements that a certificate inevitably violates together with this one, and the reason."""

    ids: Annotated[tuple[Id, ...], Field(min_length=1)]
    because: Words
    variants: tuple[str, ...] = ()
    """The variants of the violation that this applies to (default: all)."""


class Requirement(Value):
    """A demand with its level, source and description.

    ``of`` selects the certificates that the requirement applies to. ``when`` is ``validation`` if the
    appliance checks the requirement only when certificate validation is enabled. ``message`` is the ID of
    the message in the set that the appliance shows when it rejects a certificate.
    """

    id: Id
    demand: Demand
    level: Level
    section: Words
    says: Words
    message: Id | None = None
    of: Literal["certificate", "authorities", "issuing-authority", "all"] = "certificate"
    when: Literal["always", "validation"] = "always"
    together: tuple[Together, ...] = ()

    @field_validator("demand", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any) -> Any:
        """Select the class of the demand by the only key of the mapping."""
        if not isinstance(value, dict) or len(value) != 1:
            raise ValueError(f"a demand is a mapping with one key: {', '.join(KINDS)}")
        ((kind, parameters),) = value.items()
        if kind not in KINDS:
            raise ValueError(unknown("kind of demand", kind, tuple(KINDS)))
        return KINDS[kind].model_validate(parameters if parameters != "" else {})

    @model_validator(mode="after")
    def _fits_together(self) -> Requirement:
        if self.message is not None and self.level is not Level.REJECTED:
            raise ValueError("only a demand of level 'rejected' has a message")
        return self

    @property
    def kind(self) -> str:
        """The kind of the requirement's demand."""
        return self.demand.kind

    def together_with(self, variant: str) -> tuple[str, ...]:
        """Return the IDs of the requirements that a case with this variant inevitably violates as well."""
        groups = (part.ids for part in self.together if not part.variants or variant in part.variants)
        return tuple(dict.fromkeys(requirement for ids in groups for requirement in ids))


class SourceDocument(Value):
    """The documentation that a requirement set is taken from."""

    title: Words
    date: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
    note: str = ""


class RequirementSet(Value):
    """All requirements of one appliance.

    ``messages`` are the texts that the appliance shows when it rejects an upload; ``otherwise`` is the
    message of requirements without a message of their own.
    """

    name: Id
    title: Words
    source: SourceDocument
    messages: dict[Id, Words] = Field(default_factory=dict)
    otherwise: Words = "Certificate validation failed"
    requirements: Annotated[tuple[Requirement, ...], Field(min_length=1)]

    def __getitem__(self, requirement: str) -> Requirement:
        return next(one for one in self.requirements if one.id == requirement)

    def of_level(self, level: Level) -> Iterator[Requirement]:
        """Return the requirements of one level."""
        return (one for one in self.requirements if one.level is level)

    def message_of(self, requirement: Requirement) -> str:
        """Return the message that the appliance shows when a certificate violates the requirement."""
        return self.messages[requirement.message] if requirement.message else self.otherwise
