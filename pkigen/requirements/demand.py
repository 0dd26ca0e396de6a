"""Demand: one class for each kind, which knows how to check itself and how to violate itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Literal

from pkigen.cases.case import Case
from pkigen.documents.fields import Value
from pkigen.requirements.outcome import Outcome
from pkigen.requirements.subject import CheckInput


class Needs(IntEnum):
    """What must be there before a demand can be judged; a plan is judged before anything else is."""

    PLAN = 0
    ISSUED = 1


Stage = Literal["parse", "path", "name", "revocation"] | None


@dataclass(frozen=True)
class Violation:
    """One way to break a demand: a name for it ("" for the only one), words, the change of a case.

    ``stage`` is where a strict validator of paths refuses the certificate; None when none does.
    """

    variant: str
    says: str
    apply: Callable[[Case], Case]
    stage: Stage = None


class Demand(Value):
    """What a requirement demands, with its parameters.

    ``kind`` is its key in documents. ``blame`` is the path of the profile's field that causes what
    it finds; ``of_requests`` says that a certification request can be judged by it as well. A field
    of the certificate that cannot be read is Malformed, and breaks the demand.
    """

    kind: ClassVar[str]
    needs: ClassVar[Needs] = Needs.PLAN
    blame: ClassVar[tuple[str | int, ...]] = ()
    of_requests: ClassVar[bool] = False

    def check(self, shown: CheckInput) -> Outcome:
        """Whether the demand holds."""
        raise NotImplementedError

    def violations(self) -> Iterator[Violation]:
        """The ways to break it, boundaries first."""
        raise NotImplementedError


KINDS: dict[str, type[Demand]] = {}
"""Every kind of demand by its key."""


def demand(cls: type[Demand]) -> type[Demand]:
    """Make a class known as the kind of demand that its ``kind`` says; a second one is a mistake."""
    assert cls.kind not in KINDS, cls.kind
    KINDS[cls.kind] = cls
    return cls
