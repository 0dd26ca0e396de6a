"""What can go wrong, for the person at the keyboard.

    PkigenError                exit code
    |-- InputError             2    a profile, a table, a file or an option is wrong
    |-- Refused                1    something was judged and found wanting
    `-- EnvironmentFailure     3    the machine said no: disk, permission, port, lock

Raised low, caught once, in ``pkigen.cli``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a text file; line and column count from 1, 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the place in a file, the place in the document, the words."""

    message: str
    where: str = ""
    location: Location | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        parts = [str(part) for part in (self.location, self.where) if part]
        hint = f" (did you mean '{self.suggestion}'?)" if self.suggestion else ""
        return ": ".join([*parts, self.message + hint])


_MOST_SHOWN = 500


def visible(text: str) -> str:
    """Text as a message can show it: what was written in a file can hold anything, and be very long."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= _MOST_SHOWN else f"{shown[:_MOST_SHOWN]} ..."


class PkigenError(Exception):
    """The root of every error that pkigen raises on purpose."""

    exit_code = 3


class InputError(PkigenError):
    """One or more problems in what the user gave; ``str()`` has one line for each."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Refused(PkigenError):
    """A check came out negative."""

    exit_code = 1


class EnvironmentFailure(PkigenError):
    """The machine would not do it; the message says what was tried and what to do."""

    exit_code = 3
