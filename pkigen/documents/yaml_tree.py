"""A YAML document as a tree that records the location of each part.

Reads strictly: scalars remain strings, so that ``NO`` does not become a boolean or ``10:20`` a number; a
duplicate key, a tag, a second document or an alias bomb is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pkigen.documents import limits
from pkigen.errors import InputError, Location, Problem

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TOO_DEEP = f"nested deeper than {limits.NESTING}"


class Text(str):  # noqa: SLOT000  # a place is set on few, and None is their default
    """A scalar, as written."""

    location: Location | None = None


class Items(list[Any]):
    """A sequence."""

    location: Location | None = None


class Table(dict[str, Any]):
    """A mapping; ``key_locations`` are the locations of its keys."""

    location: Location | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.key_locations: dict[str, Location] = {}

    def put(self, key: str, value: object, location: Location | None) -> None:
        """Set a key and its location."""
        self[key] = value
        if location is not None:
            self.key_locations[key] = location

    def copy(self) -> Table:
        """Return a shallow copy, including locations."""
        copied = Table(self)
        copied.location = self.location
        copied.key_locations = dict(self.key_locations)
        return copied


Node = Text | Items | Table

_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that YAML calls not printable (1.2.2, 5.1) but that an escape can produce."""


def _unwanted(character: str) -> str:
    return f"the character U+{ord(character):04X} is not allowed in YAML"


def parse(data: bytes, file: str) -> Table:
    """Return the mapping in a YAML file; raise InputError for any other content."""
    if len(data) > limits.FILE_BYTES:
        raise InputError(Problem(f"larger than {limits.FILE_BYTES} bytes", location=Location(file)))
    reader = _Reader(file)
    try:
        for event in yaml.parse(data.decode("utf-8-sig"), _Loader):
            reader.take(event)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            Problem("not UTF-8 text; save the file as UTF-8", location=Location(file, line, 1))
        ) from error
    except yaml.MarkedYAMLError as error:
        raise InputError(_yaml_problem(error, file)) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(Problem(f"not YAML: {_first_line(error)}", location=Location(file))) from error
    if reader.problems:
        raise InputError(reader.problems)
    if not isinstance(reader.document, Table):
        raise InputError(Problem("a profile is a mapping of keys to values", location=Location(file, 1, 1)))
    return reader.document


def from_python(value: object) -> Node:
    """Return a tree without locations from a Python mapping, as ``parse`` returns for the same YAML."""
    return _Converter().convert(value, 0)


class _Converter:
    """Counts nodes during conversion: a mapping that contains itself would never end."""

    def __init__(self) -> None:
        self._size = 0

    def convert(self, value: object, depth: int) -> Node:
        self._size += 1
        if depth > limits.NESTING or self._size > limits.NODES:
            raise InputError(f"nested deeper than {limits.NESTING}, or more than {limits.NODES} nodes")
        if isinstance(value, Mapping):
            table = Table({self._text(key): self.convert(item, depth + 1) for key, item in value.items()})
            if len(table) < len(value):
                raise InputError(f"two keys of a mapping are the same text: {', '.join(map(str, value))}")
            return table
        if isinstance(value, list | tuple):
            return Items(self.convert(item, depth + 1) for item in value)
        return Text(self._text(value))

    def _text(self, value: object) -> str:
        try:
            text = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
        except ValueError as error:  # an integer of thousands of digits
            raise InputError(f"a value cannot be written as text: {error}") from error
        if wrong := _UNWANTED.search(text):
            raise InputError(_unwanted(wrong[0]))
        return text


def find(tree: object, path: tuple[str | int, ...]) -> object:
    """Return the deepest existing part of ``path``; skip missing parts."""
    for part in path:
        if isinstance(tree, Table) and part in tree:
            tree = tree[str(part)]
        elif isinstance(tree, Items) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
    return tree


def size(node: object) -> int:
    """Return the number of nodes of a part of a tree."""
    if isinstance(node, Table):
        return 1 + sum(map(size, node.values()))
    return 1 + sum(map(size, node)) if isinstance(node, Items) else 1


def folder_of(text: str, otherwise: Path) -> Path:
    """Return the directory of the file that contains a path, which may be an extended file."""
    place = text.location if isinstance(text, Text) else None
    return Path(place.file).parent if place else otherwise


def locate(tree: object, path: tuple[str | int, ...]) -> Location | None:
    """Return the location of the deepest existing part of ``path``; skip missing parts.

    For a key whose value is a mapping or a sequence, returns the location of the key; otherwise of the
    value.
    """
    place = getattr(tree, "location", None)
    for part in path:
        if isinstance(tree, Table) and part in tree:
            place = tree.key_locations.get(str(part), place)
            tree = tree[str(part)]
        elif isinstance(tree, Items) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
            place = getattr(tree, "location", place)
        else:
            continue
        if isinstance(tree, Text):
            place = tree.location or place
    return place


@dataclass(slots=True)
class _Open:
    """A collection that is being read: its node, its anchor, and the key that waits for a value."""

    node: Items | Table
    anchor: str | None
    key: str | None = None
    key_place: Location | None = None
    first_size: int = 0
    depth: int = 1


class _Reader:
    """Builds a tree from parser events without recursion, because the user controls the nesting depth."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self.document: Node | None = None
        self._file = file
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._documents = 0
        self._size = 0

    def take(self, event: yaml.Event) -> None:
        """Process the next event."""
        mark = event.start_mark
        assert mark is not None
        place = Location(self._file, mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise InputError(Problem("a second document; a profile is one", location=place))
        elif isinstance(event, yaml.ScalarEvent):
            self._check_tag(event.tag, place)
            self._count(1, place)
            text = Text(event.value)
            text.location = place
            if wrong := _UNWANTED.search(text):
                self.problems.append(Problem(_unwanted(wrong[0]), location=place))
            self._add(text, place)
            self._remember(event.anchor, text, 1)
        elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
            self._open(event, place)
        elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
            closed = self._stack.pop()
            self._deepen(closed.depth, place)
            self._remember(closed.anchor, closed.node, self._size - closed.first_size, closed.depth)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event.anchor, place)

    def _open(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent, place: Location) -> None:
        self._check_tag(event.tag, place)
        node = Items() if isinstance(event, yaml.SequenceStartEvent) else Table()
        node.location = place
        self._add(node, place)
        self._stack.append(_Open(node, event.anchor, first_size=self._size))
        if len(self._stack) > limits.NESTING:
            raise InputError(Problem(_TOO_DEEP, location=place))
        self._count(1, place)

    def _alias(self, anchor: str | None, place: Location) -> None:
        if anchor is None or anchor not in self._anchors:
            raise InputError(Problem(f"the alias *{anchor} names no anchor before it", location=place))
        node, size, depth = self._anchors[anchor]
        self._count(size, place)
        self._deepen(depth, place)
        self._add(node, place)

    def _remember(self, anchor: str | None, node: Node, size: int, depth: int = 0) -> None:
        if anchor is not None:
            self._anchors[anchor] = node, size, depth

    def _deepen(self, depth: int, place: Location) -> None:
        """Record the depth of a node in the innermost open collection, with aliases resolved."""
        if len(self._stack) + depth > limits.NESTING:
            raise InputError(Problem(_TOO_DEEP, location=place))
        if self._stack:
            self._stack[-1].depth = max(self._stack[-1].depth, depth + 1)

    def _count(self, nodes: int, place: Location) -> None:
        self._size += nodes
        if self._size > limits.NODES:
            words = f"more than {limits.NODES} nodes once aliases are followed"
            raise InputError(Problem(words, location=place))

    def _check_tag(self, tag: str | None, place: Location) -> None:
        if tag is not None and tag != "!":
            self.problems.append(Problem(f"the tag {tag} has no meaning here", location=place))

    def _add(self, node: Node, place: Location) -> None:
        if not self._stack:
            self.document = node
            return
        top = self._stack[-1]
        if isinstance(top.node, Items):
            top.node.append(node)
        elif top.key is None:
            top.key, top.key_place = self._key(node, top.node, place), place
        else:
            top.node.put(top.key, node, top.key_place)
            top.key = None

    def _key(self, node: Node, table: Table, place: Location) -> str:
        if not isinstance(node, Text):
            raise InputError(Problem("a key must be plain text", location=place))
        if node in table:
            first = table.key_locations[node].line
            self.problems.append(Problem(f"the key '{node}' already occurs in line {first}", location=place))
        if node == "<<":
            words = "merge keys are not read; 'like' and 'defaults' do their work"
            self.problems.append(Problem(words, location=place))
        return str(node)


def _yaml_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Location(file, mark.line + 1, mark.column + 1) if mark else Location(file)
    if "nesting depth" in str(error.problem):
        # The parser reads ahead, and has its own limit since PyYAML 6.0.4.
        return Problem(_TOO_DEEP, location=place)
    return Problem(f"not YAML: {error.problem or error.context}", location=place)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
