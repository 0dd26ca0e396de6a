"""The library of shipped requirement sets: search, selection by role, and comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pkigen.documents import shipped
from pkigen.documents.set_reference import parse_reference
from pkigen.errors import InputError
from pkigen.requirements.document import Requirement, RequirementSet
from pkigen.requirements.loader import load_declared, load_set


def every_set() -> tuple[RequirementSet, ...]:
    """Return all shipped sets, with all of their roles, sorted by name."""
    return tuple(map(load_declared, shipped.requirement_sets()))


def selected(reference: str) -> RequirementSet:
    """Return a set with all of its roles, or with the one that the reference names; InputError if unknown."""
    try:
        parsed = parse_reference(reference)
    except ValueError as error:
        raise InputError(str(error)) from error
    return load_set(parsed) if parsed.role or parsed.switches else load_declared(parsed.set)


def by_role(declared: RequirementSet) -> tuple[RequirementSet, ...]:
    """Return a set once for each of its roles; a set without roles as it is."""
    return tuple(map(declared.for_role, declared.roles)) if declared.roles else (declared,)


def contains(declared: RequirementSet, word: str) -> bool:
    """Return whether a set mentions a word: in its texts, the kinds of its demands or its roles."""
    texts = [declared.name, declared.title, declared.version, declared.source.title, declared.source.note]
    texts += [*declared.roles, *(role.says for role in declared.roles.values()), *declared.messages.values()]
    texts += declared.not_covered
    for one in declared.requirements:
        texts += [one.id, one.says, one.section, one.source or "", *one.kinds]
    return any(word.lower() in text.lower() for text in texts)


@dataclass(frozen=True, slots=True)
class Difference:
    """A requirement of which two sets have different versions; None where a set does not have it."""

    id: str
    first: Requirement | None
    second: Requirement | None

    @property
    def changed(self) -> tuple[str, ...]:
        """The keys with different values; empty if only one set has the requirement."""
        if self.first is None or self.second is None:
            return ()
        first, second = self.first.model_dump(), self.second.model_dump()
        keys = ["condition"] if self.first.condition != self.second.condition else []
        others = (key for key in first if key not in ("demand", "any_", "if_", "then"))
        return (*keys, *(key.rstrip("_") for key in others if first[key] != second[key]))


def differences(first: RequirementSet, second: RequirementSet) -> Iterator[Difference]:
    """Yield the requirements that differ between two sets: changed ones, then those of only one set."""
    ours = {one.id: one for one in first.requirements}
    theirs = {one.id: one for one in second.requirements}
    for name, requirement in ours.items():
        if name in theirs and theirs[name] != requirement:
            yield Difference(name, requirement, theirs[name])
    for name in ours.keys() - theirs.keys():
        yield Difference(name, ours[name], None)
    for name in theirs.keys() - ours.keys():
        yield Difference(name, None, theirs[name])
