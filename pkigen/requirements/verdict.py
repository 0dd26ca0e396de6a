"""What the appliance says at upload: accepted, or refused with its own messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pkigen.requirements.document import Level, RequirementSet
from pkigen.requirements.evaluate import Finding


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one appliance; ``unsupported`` counts broken demands that it does not refuse for.

    ``undecided`` are the ids of those that it would refuse for, and that could not be judged.
    """

    set: RequirementSet
    accepted: bool
    messages: tuple[str, ...]
    unsupported: int
    undecided: tuple[str, ...] = ()


def verdict(against: RequirementSet, findings: Iterable[Finding], *, readable: bool = True) -> Verdict:
    """The verdict that follows from a set's findings; what cannot be read at all is refused."""
    every = tuple(findings)
    broken = [found.requirement for found in every if found.failed]
    unknown = (found for found in every if found.outcome.undecided)
    open_ = tuple(f.requirement.id for f in unknown if f.requirement.level is Level.REJECTED)
    refusing = [found for found in broken if found.level is Level.REJECTED]
    messages = [against.message_of(found) for found in refusing]
    if not readable:
        messages.append(against.otherwise)
    unsupported = sum(found.level is Level.UNSUPPORTED for found in broken)
    return Verdict(against, not messages, tuple(dict.fromkeys(messages)), unsupported, open_)
