"""A requirement set: what an appliance demands, each demand with its place in the documentation."""

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
        raise ValueError(f"'{text}' is no id: small letters, digits and hyphens, at most 50")
    return str(text)


Id = Annotated[str, Parsed(_parse_id, "small letters, digits and hyphens")]
Words = Annotated[str, Field(min_length=1, max_length=1000)]


class Level(StrEnum):
    """What becomes of a certificate that breaks a demand."""

    REJECTED = "rejected"
    UNSUPPORTED = "unsupported"
    ADVICE = "advice"


class Together(Value):
    """Demands that no certificate can break without breaking this one, or the reverse; and why."""

    ids: Annotated[tuple[Id, ...], Field(min_length=1)]
    because: Words
    variants: tuple[str, ...] = ()
    """Only these of the cases; all of them when none is named."""


class Requirement(Value):
    """One demand.

    ``of`` says of whom it is demanded. ``when`` is ``validation`` for what an appliance looks at only
    when it validates certificates. ``message`` names one of the set's messages: what the appliance
    says when it refuses.
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
        """The one key says which kind of demand it is."""
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
        """The kind of its demand."""
        return self.demand.kind

    def together_with(self, variant: str) -> tuple[str, ...]:
        """The ids that a case of it cannot help breaking as well."""
        found = (part.ids for part in self.together if not part.variants or variant in part.variants)
        return tuple(dict.fromkeys(one for ids in found for one in ids))


class SourceDocument(Value):
    """Where the demands come from."""

    title: Words
    date: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
    note: str = ""


class RequirementSet(Value):
    """All that one appliance demands.

    ``messages`` are the texts that it shows at upload; ``otherwise`` is the one for a refusal that
    has no text of its own.
    """

    name: Id
    title: Words
    source: SourceDocument
    messages: dict[Id, Words] = Field(default_factory=dict)
    otherwise: Words = "Certificate validation failed"
    requirements: Annotated[tuple[Requirement, ...], Field(min_length=1)]

    def __getitem__(self, requirement: str) -> Requirement:
        return next(found for found in self.requirements if found.id == requirement)

    def of_level(self, level: Level) -> Iterator[Requirement]:
        """The requirements of one level."""
        return (found for found in self.requirements if found.level is level)

    def message_of(self, requirement: Requirement) -> str:
        """What the appliance says when it refuses for this one."""
        return self.messages[requirement.message] if requirement.message else self.otherwise
