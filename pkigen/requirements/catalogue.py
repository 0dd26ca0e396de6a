"""The catalogue of negative cases: what follows from each requirement of a set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pkigen.requirements.demand import Stage, Violation
from pkigen.requirements.document import Level, Requirement, RequirementSet


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One case: its id, the requirement that it breaks, what it breaks besides and why."""

    set: RequirementSet
    requirement: Requirement
    violation: Violation

    @property
    def id(self) -> str:
        """What a case is called, after the name of its base and a full stop."""
        return fault_id(self.requirement, self.violation)

    @property
    def besides(self) -> tuple[str, ...]:
        """Further requirements that the case cannot help breaking."""
        return self.requirement.together_with(self.violation.variant)

    @property
    def because(self) -> tuple[str, ...]:
        """Why those cannot be parted from this one."""
        variant = self.violation.variant
        found = (t.because for t in self.requirement.together if not t.variants or variant in t.variants)
        return tuple(dict.fromkeys(found))

    @property
    def accepted(self) -> bool:
        """Whether the appliance takes it at upload."""
        return not any(self.set[one].level is Level.REJECTED for one in self.violates)

    @property
    def messages(self) -> tuple[str, ...]:
        """What the appliance says when it does not."""
        rejecting = (self.set[one] for one in self.violates if self.set[one].level is Level.REJECTED)
        return tuple(dict.fromkeys(map(self.set.message_of, rejecting)))

    @property
    def violates(self) -> tuple[str, ...]:
        """The requirements that a case breaks: its own, then those that it cannot help breaking."""
        return (self.requirement.id, *self.besides)

    @property
    def stage(self) -> Stage:
        """Where a strict validator of paths refuses it; what breaks the path is refused with it."""
        kinds = (self.set[one].kind for one in self.violates)
        return self.violation.stage or ("path" if "certification_path" in kinds else None)


def catalogue(sets: Iterable[RequirementSet]) -> Iterator[CatalogueEntry]:
    """Every case of every set, in the sets' order."""
    for one in sets:
        for requirement in one.requirements:
            for violation in requirement.demand.violations():
                yield CatalogueEntry(one, requirement, violation)


def fault_id(requirement: Requirement, violation: Violation) -> str:
    """The id of a case: its requirement's, and the way to break it where there are several."""
    return f"{requirement.id}-{violation.variant}" if violation.variant else requirement.id
