"""Derives the catalog of negative cases from requirement sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pkigen.requirements.demand import Stage, Violation
from pkigen.requirements.document import Level, Requirement, RequirementSet


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A negative case: the requirement that it violates, and the way to violate it."""

    set: RequirementSet
    requirement: Requirement
    violation: Violation

    @property
    def id(self) -> str:
        """The fault ID of the case; a generated case is named ``BASE.ID``."""
        return fault_id(self.requirement, self.violation)

    @property
    def besides(self) -> tuple[str, ...]:
        """The IDs of further requirements that the case inevitably violates."""
        active = {one.id for one in self.set.active}
        return tuple(one for one in self.requirement.together_with(self.violation.variant) if one in active)

    @property
    def because(self) -> tuple[str, ...]:
        """The reasons why the case violates the further requirements."""
        variant = self.violation.variant
        reasons = (t.because for t in self.requirement.together if not t.variants or variant in t.variants)
        return tuple(dict.fromkeys(reasons))

    @property
    def accepted(self) -> bool:
        """Whether the appliance accepts the case at upload."""
        return not any(self.set[one].level is Level.REJECTED for one in self.violates)

    @property
    def messages(self) -> tuple[str, ...]:
        """The messages that the appliance shows when it rejects the case; empty if it accepts the case."""
        rejecting = (self.set[one] for one in self.violates if self.set[one].level is Level.REJECTED)
        return tuple(dict.fromkeys(map(self.set.message_of, rejecting)))

    @property
    def violates(self) -> tuple[str, ...]:
        """The IDs of all requirements that the case violates: its own, then the further ones."""
        return (self.requirement.id, *self.besides)

    @property
    def stage(self) -> Stage:
        """The stage at which a strict validator rejects the case; None if it accepts the case."""
        return self.violation.stage or ("path" if self._has_no_path else None)

    @property
    def expected(self) -> Literal["accept", "reject", "varies"]:
        """The verdict of a strict validator."""
        if self.stage is None:
            return "accept"
        return "varies" if self.violation.varies and not self._has_no_path else "reject"

    @property
    def _has_no_path(self) -> bool:
        return any("certification_path" in self.set[one].kinds for one in self.violates)


def catalogue(sets: Iterable[RequirementSet]) -> Iterator[CatalogueEntry]:
    """Yield every case of every set, in the order of the sets."""
    for requirement_set in sets:
        for requirement in requirement_set.active:
            for violation in requirement.violations():
                yield CatalogueEntry(requirement_set, requirement, violation)


def fault_id(requirement: Requirement, violation: Violation) -> str:
    """Return the fault ID: the requirement's ID, with the variant if there are several."""
    return f"{requirement.id}-{violation.variant}" if violation.variant else requirement.id
