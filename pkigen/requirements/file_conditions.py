"""Conditions on any file that a demand is about: its name, its suffix, its size and its mode."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Annotated

from pydantic import Field, model_validator

from pkigen.documents.fields import Parsed, Value
from pkigen.inspection.artifacts import Source
from pkigen.requirements.outcome import Outcome, failed
from pkigen.requirements.pattern import Pattern

_MODE = re.compile("0?[0-7]{3}")
_READABLE_BY_ALL = 0o004
_FILE_NAME = re.compile(r"[^/\\\x00-\x1f]{1,100}")


def parse_suffix(text: str) -> str:
    """Parse a file name extension, such as ``.crt``."""
    if not text.startswith(".") or len(text) < 2 or not text[1:].isalnum():
        raise ValueError(f"'{text}' is not a file name extension such as .crt")
    return text.lower()


def _parse_mode(text: str) -> int:
    if not _MODE.fullmatch(text):
        raise ValueError(f"'{text}' is not the mode of a file, such as 0600")
    mode = int(text, 8)
    if mode & _READABLE_BY_ALL:
        raise ValueError(f"{text} permits every user to read the file, which is no condition")
    return mode


Size = Annotated[int, Field(ge=1, le=1 << 30)]
Suffix = Annotated[str, Parsed(parse_suffix, "a file name extension, such as .crt")]
Mode = Annotated[int, Parsed(_parse_mode, "the permissions that a file may have at most, such as 0600")]


class ValuePattern(Value):
    """A pattern, and a value that violates it."""

    pattern: Annotated[Pattern, Parsed(Pattern, "a regular expression")]
    counterexample: Annotated[str, Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _counterexample_violates(self) -> ValuePattern:
        if self.pattern.matches(self.counterexample):
            raise ValueError("'counterexample' must be a value that does not match the pattern")
        return self


class FileName(ValuePattern):
    """A pattern of the name of a file, and a name that violates it."""

    @model_validator(mode="after")
    def _is_a_file_name(self) -> FileName:
        if not _FILE_NAME.fullmatch(self.counterexample) or self.counterexample.startswith("."):
            raise ValueError(f"'counterexample' must be the name of a file; '{self.counterexample}' is not")
        return self


def check_file(
    source: Source, suffixes: Sequence[str] = (), name: FileName | None = None, mode: int | None = None
) -> Outcome | None:
    """Return the violated condition of a file, or None. The mode of an uploaded file is unknown."""
    path = PurePath(source.file)
    suffix = path.suffix.lower()
    if suffixes and suffix not in suffixes:
        return failed(suffix or "no extension", " or ".join(suffixes))
    if name is not None and not name.pattern.matches(path.name):
        return failed(path.name, f"a name like {name.pattern}")
    if mode is not None and source.mode is not None and source.mode & ~mode:
        return failed(f"mode {source.mode:04o}", f"at most {mode:04o}")
    return None
