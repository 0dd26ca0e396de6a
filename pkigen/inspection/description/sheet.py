"""What is said of one artefact: its fields for people, and the same as data for programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_CHARACTERS = 1_000
MAX_VALUES = 200


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that is asked of an artefact, and the answer, a line for each value.

    ``id`` is stable: the key in the data, or the OID of an extension. ``alarm`` is for what nobody
    should pass over: expired, malformed, not verified.
    """

    id: str
    label: str
    values: tuple[str, ...]
    alarm: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """An artefact in words. ``data`` is JSON's own types alone, with stable snake_case keys.

    ``readable`` is False when the artefact as a whole could not be read.
    """

    title: str
    fields: tuple[Field, ...]
    data: dict[str, Any]
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Rendering:
    """An answer: its lines for people, the same for programs."""

    values: tuple[str, ...]
    data: Any
    alarm: bool = False


def rendering(text: str, data: Any = None, *, alarm: bool = False) -> Rendering:
    """An answer of one line, which is the data as well unless there is other data."""
    return Rendering((text,), text if data is None else data, alarm)


@dataclass(slots=True)
class DescriptionBuilder:
    """The fields of one artefact as they are gathered; one that cannot be read leaves the others be."""

    fields: list[Field] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    malformed: dict[str, str] = field(default_factory=dict)

    def add(self, identity: str, label: str, read: Callable[[], Rendering]) -> None:
        """A field and its data; one that is malformed says why it is."""
        try:
            answer = read()
        except ValueError as error:
            self.add_malformed(identity, label, error)
            self.data[identity] = None
            return
        self.data[identity] = answer.data
        self.show(identity, label, *answer.values, alarm=answer.alarm)

    def add_malformed(self, identity: str, label: str, error: ValueError) -> None:
        """A field whose octets are not what they should be."""
        self.malformed[identity] = str(error)
        self.show(identity, label, f"malformed: {error}", alarm=True)

    def show(self, identity: str, label: str, *values: str, alarm: bool = False) -> None:
        """A field for people alone; one without a value is left out."""
        if values:
            self.fields.append(Field(identity, shortened(label), _bounded(values), alarm))


def shortened(text: str, most: int = MAX_CHARACTERS) -> str:
    """``text``, or its beginning and how long it is."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def _bounded(values: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(map(shortened, values[:MAX_VALUES]))
    if len(values) > MAX_VALUES:
        kept += (f"... and {len(values) - MAX_VALUES:,} more; --json has them all",)
    return kept
