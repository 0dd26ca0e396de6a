"""The data model of a requirement set: each requirement cites the documentation that it is taken from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator

from pkigen.documents.fields import Parsed, Value, unknown
from pkigen.documents.set_reference import ID, named
from pkigen.requirements.conditions import AnyOf, Conditional, single_demand
from pkigen.requirements.demand import Demand, Needs, Violation
from pkigen.requirements.outcome import Outcome, not_applicable
from pkigen.requirements.subject import CheckInput

VALIDATION = "validation"
"""The switch that ``check --no-validation`` turns off."""


def _parse_id(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError(f"'{text}' is not a valid ID: use lowercase letters, digits and hyphens, at most 50")
    return str(text)


def _parse_date(text: str) -> date:
    try:
        if len(text) != len("2026-03-15"):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{text}' is not a date such as 2026-03-15") from None


def _parse_switch_default(value: Any) -> bool:
    if value not in ("on", "off"):
        raise ValueError("this must be on or off")
    return bool(value == "on")


def _parse_roles(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise ValueError("this must be the name of a role, or a list of names")
    return tuple(map(_parse_id, values))


Id = Annotated[str, Parsed(_parse_id, "lowercase letters, digits and hyphens")]
Day = Annotated[date, Parsed(_parse_date, "a date such as 2026-03-15")]
Words = Annotated[str, Field(min_length=1, max_length=1000)]
AnyDemand = Annotated[Demand, BeforeValidator(single_demand)]
SwitchDefault = Annotated[bool, Parsed(_parse_switch_default, "on or off")]
Roles = Annotated[tuple[str, ...], Parsed(_parse_roles, "the name of a role, or a list of names", "")]


class Level(StrEnum):
    """What the appliance does with a certificate that violates a requirement."""

    REJECTED = "rejected"
    UNSUPPORTED = "unsupported"
    ADVICE = "advice"


class Confidence(StrEnum):
    """How sure a requirement is.

    ``documented``: the vendor or the standard states it; ``observed``: the product was tried; ``reported``:
    third parties state it.
    """

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    REPORTED = "reported"


class Together(Value):
    """Requirements that a certificate inevitably violates together with this one, and the reason."""

    ids: Annotated[tuple[Id, ...], Field(min_length=1)]
    because: Words
    variants: tuple[str, ...] = ()
    """The variants of the violation that this applies to (default: all)."""


class Requirement(Value):
    """A condition with its level, source and description.

    The condition is one of: ``demand``; ``any``, demands of which at least one holds; ``if`` and ``then``, a
    demand that only applies if another one holds. ``of`` selects the certificates that the requirement
    applies to, ``for`` the roles of the set (default: all). ``when`` and ``unless`` are switches of the set:
    the requirement applies while the switch is on, or off. ``from`` (inclusive) and ``until`` (exclusive)
    limit it to certificates by their date of issue, which is their notBefore. ``message`` is the ID of the
    message in the set that the appliance shows when it rejects a certificate.
    """

    id: Id
    demand: AnyDemand | None = None
    any_: Annotated[tuple[AnyDemand, ...], Field(min_length=2, max_length=10)] | None = Field(
        default=None, validation_alias="any"
    )
    if_: AnyDemand | None = Field(default=None, validation_alias="if")
    then: AnyDemand | None = None
    level: Level
    section: Annotated[str, Field(max_length=1000)] = ""
    says: Words
    message: Id | None = None
    confidence: Confidence | None = None
    source: Words | None = None
    of: Literal["certificate", "authorities", "issuing-authority", "all"] = "certificate"
    for_: Roles = Field(default=(), validation_alias="for")
    when: Id | None = None
    unless: Id | None = None
    from_: Day | None = Field(default=None, validation_alias="from")
    until: Day | None = None
    together: tuple[Together, ...] = ()

    @field_validator("when", mode="before")
    @classmethod
    def _without_always(cls, value: Any) -> Any:
        return None if value == "always" else value

    @model_validator(mode="after")
    def _fits_together(self) -> Requirement:
        if self.message is not None and self.level is not Level.REJECTED:
            raise ValueError("only a demand of level 'rejected' has a message")
        if (self.if_ is None) is not (self.then is None):
            raise ValueError("'if' and 'then' belong together: write both")
        if sum(one is not None for one in (self.demand, self.any_, self.if_)) != 1:
            raise ValueError("write exactly one of 'demand', 'any', and 'if' with 'then'")
        if self.from_ is not None and self.until is not None and self.from_ >= self.until:
            raise ValueError("'until' must be later than 'from'")
        return self

    @cached_property
    def condition(self) -> Demand | AnyOf | Conditional:
        """The condition, which may consist of several demands."""
        if self.demand is not None:
            return self.demand
        if self.any_ is not None:
            return AnyOf(self.any_)
        assert self.if_ is not None
        assert self.then is not None
        return Conditional(self.if_, self.then)

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """The demands that the condition consists of."""
        every = (self.demand, *(self.any_ or ()), self.if_, self.then)
        return tuple(one for one in every if one is not None)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the demands."""
        return tuple(one.kind for one in self.demands)

    @cached_property
    def compares(self) -> bool:
        """Whether the outcome depends on other certificates of an environment."""
        return any(one.compares for one in self.demands)

    @property
    def field(self) -> str | None:
        """Where ``pkigen show --against`` prints a violation: see ``Demand.field``."""
        fields = {one.field for one in ([self.then] if self.then else self.demands)}
        return fields.pop() if len(fields) == 1 else None

    @cached_property
    def needs(self) -> Needs:
        """What must exist before the condition can be checked."""
        return max(one.needs for one in self.demands)

    @property
    def of_requests(self) -> bool:
        """Whether the condition also applies to certification requests."""
        return all(one.of_requests for one in self.demands)

    @property
    def blame(self) -> tuple[str | int, ...]:
        """The path of the profile field that causes a violation."""
        return (self.then or self.demands[0]).blame

    def violations(self) -> Iterator[Violation]:
        """Yield the ways to violate the condition, boundary values first."""
        return self.condition.violations()

    def check(self, subject: CheckInput) -> Outcome:
        """Return whether the condition holds; Malformed for a certificate that cannot be read."""
        dated = self.from_ is not None or self.until is not None
        if dated and subject.certificate is not None and not self.applies_at(subject.certificate.not_before):
            return not_applicable(f"it applies to certificates issued {self.period}")
        return self.condition.check(subject)

    def applies_at(self, issued: datetime) -> bool:
        """Return whether the requirement applies to a certificate that was issued at a time (UTC)."""
        return (self.from_ is None or issued >= _midnight(self.from_)) and (
            self.until is None or issued < _midnight(self.until)
        )

    @property
    def period(self) -> str:
        """The dates of issue that the requirement applies to, as text; empty if to all."""
        parts = (f"from {self.from_}" if self.from_ else "", f"before {self.until}" if self.until else "")
        return " and ".join(filter(None, parts))

    def together_with(self, variant: str) -> tuple[str, ...]:
        """Return the IDs of the requirements that a case with this variant inevitably violates as well."""
        groups = (part.ids for part in self.together if not part.variants or variant in part.variants)
        return tuple(dict.fromkeys(requirement for ids in groups for requirement in ids))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


_SCOPES = {
    "authorities": "of CA certificates",
    "issuing-authority": "of the issuing CA",
    "all": "of all certificates of the path",
}


class SourceDocument(Value):
    """The documentation that a requirement set is taken from."""

    title: Words
    date: Annotated[str, Field(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]
    url: str = ""
    note: str = ""


class Role(Value):
    """A role of certificates in a set; ``authority`` states that it is one of CA certificates."""

    says: Words
    authority: bool = False


class RequirementSet(Value):
    """All requirements of one appliance.

    ``messages`` are the texts that the appliance shows when it rejects an upload; ``otherwise`` is the
    message of requirements without a message of their own. ``version`` is that of the product.
    ``confidence`` applies to requirements without their own. ``extends`` is a set that this one changes:
    a requirement with the same ID replaces that of the other set, ``without`` removes some.
    ``not_covered`` lists what the source demands and the set cannot check.
    """

    name: Id
    title: Words
    version: Annotated[str, Field(max_length=100)] = ""
    source: SourceDocument
    confidence: Confidence = Confidence.DOCUMENTED
    extends: Annotated[str, Field(max_length=1000)] | None = None
    without: tuple[Id, ...] = ()
    switches: dict[Id, SwitchDefault] = Field(default_factory=dict)
    roles: dict[Id, Role] = Field(default_factory=dict)
    messages: dict[Id, Words] = Field(default_factory=dict)
    otherwise: Words = "Certificate validation failed"
    not_covered: tuple[Words, ...] = ()
    requirements: Annotated[tuple[Requirement, ...], Field(max_length=1000)] = ()
    _role: str | None = PrivateAttr(default=None)

    def __getitem__(self, requirement: str) -> Requirement:
        return next(one for one in self.requirements if one.id == requirement)

    @property
    def active(self) -> tuple[Requirement, ...]:
        """The requirements that the switches do not exclude."""
        return tuple(one for one in self.requirements if not self.inactive(one))

    def of_level(self, level: Level) -> Iterator[Requirement]:
        """Return the requirements of one level."""
        return (one for one in self.requirements if one.level is level)

    def message_of(self, requirement: Requirement) -> str:
        """Return the message that the appliance shows when a certificate violates the requirement."""
        return self.messages[requirement.message] if requirement.message else self.otherwise

    def confidence_of(self, requirement: Requirement) -> Confidence:
        """Return how sure a requirement is."""
        return requirement.confidence or self.confidence

    def notes_on(self, requirement: Requirement) -> tuple[str, ...]:
        """Return when a requirement applies, and where it is from, as short texts."""
        confidence = self.confidence_of(requirement)
        notes = (
            _SCOPES.get(requirement.of, ""),
            f"for {', '.join(requirement.for_)}" if requirement.for_ and self._role is None else "",
            f"if {requirement.when} is on" if requirement.when else "",
            f"if {requirement.unless} is off" if requirement.unless else "",
            f"issued {requirement.period}" if requirement.period else "",
            requirement.section,
            requirement.source or "",
            confidence if confidence is not Confidence.DOCUMENTED else "",
        )
        return tuple(filter(None, notes))

    @property
    def declared_name(self) -> str:
        """The name of the set without a selected role and values of switches."""
        return self.name.partition(",")[0].partition(":")[0]

    @property
    def compares_peers(self) -> bool:
        """Whether a requirement compares the certificates of an environment with each other."""
        return any("relation" in one.kinds for one in self.requirements)

    @property
    def role(self) -> str | None:
        """The role that was selected; the requirements of other roles are left out."""
        return self._role

    @property
    def is_for_authorities(self) -> bool:
        """Whether the selected role is one of CA certificates."""
        return self._role is not None and self.roles[self._role].authority

    def is_on(self, switch: str) -> bool:
        """Return the value of a switch; ``validation`` is on in sets that do not declare it."""
        return self.switches.get(switch, switch == VALIDATION)

    def inactive(self, requirement: Requirement) -> str:
        """Return the reason why the switches exclude a requirement; empty if they do not."""
        if requirement.when is not None and not self.is_on(requirement.when):
            return (
                "the appliance does not validate certificates"
                if requirement.when == VALIDATION
                else f"the switch '{requirement.when}' is off"
            )
        if requirement.unless is not None and self.is_on(requirement.unless):
            return f"the switch '{requirement.unless}' is on"
        return ""

    def switched(self, values: Mapping[str, bool]) -> RequirementSet:
        """Return the set with other values of switches; ValueError for an unknown switch."""
        known = self.known_switches
        for name in values:
            if name not in known:
                words = f"no such switch: '{name}'; the set '{self.name}' has none"
                raise ValueError(unknown(f"switch of '{self.name}'", name, known) if known else words)
        return self.model_copy(update={"switches": {**self.switches, **values}})

    @property
    def known_switches(self) -> tuple[str, ...]:
        """The names of the switches; ``validation`` is one wherever a requirement depends on it."""
        implied = (VALIDATION for one in self.requirements if VALIDATION in (one.when, one.unless))
        return tuple(dict.fromkeys((*self.switches, *implied)))

    def for_role(self, role: str | None) -> RequirementSet:
        """Return the set with the requirements of one role; ValueError for an unknown or missing role."""
        known = tuple(self.roles)
        if role is None and not known:
            return self
        if role is None:
            choices = ", ".join(f"{self.name}:{one}" for one in known)
            raise ValueError(f"the set '{self.name}' has roles; choose one: {choices}")
        if role not in known:
            raise ValueError(unknown("role", role, known) if known else f"the set '{self.name}' has no roles")
        chosen = tuple(one for one in self.requirements if not one.for_ or role in one.for_)
        copy = self.model_copy(update={"requirements": chosen, "name": named(self.name, role, ())})
        copy._role = role
        return copy
