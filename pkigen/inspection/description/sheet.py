"""The description of one artifact: fields as text, and the same as JSON data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_CHARACTERS = 1_000
MAX_VALUES = 200


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an artifact, with a line for each value.

    ``id`` is stable: the key in the data, or the OID of an extension. ``alarm`` highlights the field:
    expired, malformed, not verified.
    """

    id: str
    label: str
    values: tuple[str, ...]
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """The description of an artifact. ``data`` contains only JSON types, with stable snake_case keys.

    ``readable`` is False if the artifact as a whole could not be decoded.
    """

    title: str
    fields: tuple[Field, ...]
    data: dict[str, Any]
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Rendering:
    """The value of a field: lines of text, and the same as JSON data."""

    values: tuple[str, ...]
    data: Any
    alarm: bool = False


def rendering(text: str, data: Any = None, *, alarm: bool = False) -> Rendering:
    """Return a value of one line, which is also the data, unless ``data`` is given."""
    return Rendering((text,), text if data is None else data, alarm)


@dataclass(slots=True)
class DescriptionBuilder:
    """Collects the fields of one artifact; a malformed field does not affect the others."""

    fields: list[Field] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    malformed: dict[str, str] = field(default_factory=dict)

    def add(self, identity: str, label: str, read: Callable[[], Rendering]) -> None:
        """Add a field and its data; a malformed field shows the error instead."""
        try:
            value = read()
        except ValueError as error:
            self.add_malformed(identity, label, error)
            self.data[identity] = None
            return
        self.data[identity] = value.data
        self.show(identity, label, *value.values, alarm=value.alarm)

    def add_malformed(self, identity: str, label: str, error: ValueError) -> None:
        """Add a field that could not be decoded."""
        self.malformed[identity] = str(error)
        self.show(identity, label, f"malformed: {error}", alarm=True)

    def show(self, identity: str, label: str, *values: str, alarm: bool = False) -> None:
        """Add a field without data; a field without values is omitted."""
        if values:
            self.fields.append(Field(identity, shortened(label), _bounded(values), alarm))


def shortened(text: str, most: int = MAX_CHARACTERS) -> str:
    """Return ``text``, or its beginning and its length."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def _bounded(values: tuple[str, ...]) -> tuple[str, ...]:
    lines = tuple(map(shortened, values[:MAX_VALUES]))
    if len(values) > MAX_VALUES:
        lines += (f"... and {len(values) - MAX_VALUES:,} more; --json has them all",)
    return lines
