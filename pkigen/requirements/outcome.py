"""The outcome of a check against a demand: pass, fail, or not applicable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """The result of a check."""

    PASS = "pass"  # noqa: S105  not a password
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a check with the actual and the expected value, and a reason where these do not suffice.

    ``blame`` is the path of the profile field that causes a violation, if it is narrower than the demand's
    own. ``undecided`` means that the demand applies, but the given files do not suffice to check it.
    """

    status: Status
    actual: str = ""
    expected: str = ""
    reason: str = ""
    blame: tuple[str | int, ...] = ()
    undecided: bool = False


def passed(actual: str = "", expected: str = "") -> Outcome:
    """Return PASS."""
    return Outcome(Status.PASS, actual, expected)


def failed(actual: str, expected: str, reason: str = "", blame: tuple[str | int, ...] = ()) -> Outcome:
    """Return FAIL."""
    return Outcome(Status.FAIL, actual, expected, reason, blame)


def pass_or_fail(holds: bool, actual: str, expected: str, blame: tuple[str | int, ...] = ()) -> Outcome:
    """Return PASS or FAIL, depending on ``holds``."""
    return Outcome(Status.PASS if holds else Status.FAIL, actual, expected, "", () if holds else blame)


def not_applicable(reason: str) -> Outcome:
    """Return NOT_APPLICABLE: the certificate has nothing that the demand applies to."""
    return Outcome(Status.NOT_APPLICABLE, reason=reason)


def undecided(reason: str) -> Outcome:
    """Return NOT_APPLICABLE, marked as undecided: the given files do not suffice to check the demand."""
    return Outcome(Status.NOT_APPLICABLE, reason=reason, undecided=True)
