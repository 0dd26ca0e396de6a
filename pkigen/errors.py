"""Exceptions that pkigen raises, and the conversion of native panics into exceptions."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock


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


_STDERR = 2


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """What panics inside raises ValueError, and so does what cryptography takes for a failure of OpenSSL.

    pyo3's PanicException is a BaseException of no module. Native code writes what it panics at to
    stderr, arguments (passphrases) included; this goes nowhere.
    """
    _quiet.begin()
    try:
        yield
    except BaseException as error:
        if type(error).__name__ not in ("PanicException", "InternalError"):
            raise
        raise ValueError("the cryptography library cannot handle it") from error
    finally:
        _quiet.end()


class _Quiet:
    """The process's stderr turned away while any thread is inside."""

    def __init__(self) -> None:
        self._lock, self._inside, self._kept = Lock(), 0, -1

    def begin(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            try:
                self._kept = os.dup(_STDERR)
            except OSError:  # there is no stderr
                return
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, _STDERR)
            os.close(nowhere)

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside or self._kept < 0:
                return
            os.dup2(self._kept, _STDERR)
            os.close(self._kept)
            self._kept = -1


_quiet = _Quiet()
