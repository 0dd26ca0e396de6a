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
    """A problem in the input: the message, the path of the field, the location in a file."""

    message: str
    where: str = ""
    location: Location | None = None
    suggestion: str | None = None

    def __str__(self) -> str:
        parts = [str(part) for part in (self.location, self.where) if part]
        hint = f" (did you mean '{self.suggestion}'?)" if self.suggestion else ""
        return ": ".join([*parts, self.message + hint])


_LONGEST_TEXT = 500


def visible(text: str) -> str:
    """Escape unprintable characters of a text from a file, and truncate it, for use in a message."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return escaped if len(escaped) <= _LONGEST_TEXT else f"{escaped[:_LONGEST_TEXT]} ..."


class PkigenError(Exception):
    """The base class of all errors that pkigen raises deliberately."""

    exit_code = 3


class InputError(PkigenError):
    """One or more problems in the user's input; ``str()`` has one line for each."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem] | Problem | str) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Refused(PkigenError):
    """A check failed."""

    exit_code = 1


class EnvironmentFailure(PkigenError):
    """The system failed to do something; the message states the action, the reason and the remedy."""

    exit_code = 3


_STDERR = 2


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Convert panics of native code, and internal errors of the cryptography library, to ValueError.

    The PanicException of pyo3 is a BaseException that no module exports. Native code writes the panic
    message to stderr, with arguments such as passphrases; stderr is discarded meanwhile.
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
    """Discards the stderr of the process while any thread is inside the context."""

    def __init__(self) -> None:
        self._lock, self._inside, self._stderr = Lock(), 0, -1

    def begin(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            try:
                self._stderr = os.dup(_STDERR)
            except OSError:  # stderr is closed
                return
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, _STDERR)
            os.close(null)

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside or self._stderr < 0:
                return
            os.dup2(self._stderr, _STDERR)
            os.close(self._stderr)
            self._stderr = -1


_quiet = _Quiet()
