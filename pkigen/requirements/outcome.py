"""What a demand says of something: held, broken, or without anything to be held against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The three answers."""

    PASS = "pass"  # noqa: S105  no password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answer: the value found, the value wanted, the reason where neither says enough.

    ``blame`` is the path of the profile's field that would cause it, when it is a narrower one than
    the demand's own. ``undecided`` says that the demand does apply, and cannot be judged from what was
    given.
    """

    status: Status
    found: str = ""
    wanted: str = ""
    reason: str = ""
    blame: tuple[str | int, ...] = ()
    undecided: bool = False


def passed(found: str = "", wanted: str = "") -> Outcome:
    """The demand holds."""
    return Outcome(Status.PASS, found, wanted)


def failed(found: str, wanted: str, reason: str = "", blame: tuple[str | int, ...] = ()) -> Outcome:
    """The demand is broken."""
    return Outcome(Status.FAIL, found, wanted, reason, blame)


def pass_or_fail(holds: bool, found: str, wanted: str, blame: tuple[str | int, ...] = ()) -> Outcome:
    """Held or broken, as it may be."""
    return Outcome(Status.PASS if holds else Status.FAIL, found, wanted, "", () if holds else blame)


def not_applicable(reason: str) -> Outcome:
    """Nothing was there that the demand speaks of."""
    return Outcome(Status.NOT_APPLICABLE, reason=reason)


def undecided(reason: str) -> Outcome:
    """The demand applies, and what was given does not tell whether it holds."""
    return Outcome(Status.NOT_APPLICABLE, reason=reason, undecided=True)
