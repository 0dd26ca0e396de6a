"""What a body inherits: ``defaults`` for all, ``like`` from one of its kind, ``extends`` from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pkigen.documents import limits
from pkigen.documents.fields import unknown
from pkigen.documents.yaml_tree import Table, Text, locate
from pkigen.errors import Problem

_OWN_KEYS = ("like", "each")


Made = tuple[str, Mapping[str, str]]
"""What a name that a range or a table makes comes from: the key, and its variables."""


def merge(base: Table, over: Table) -> Table:
    """``base`` with ``over`` on top: mappings merge key by key, all else is replaced."""
    merged = base.copy()
    for key, value in over.items():
        held = merged.get(key)
        if isinstance(held, Table) and isinstance(value, Table):
            value = merge(held, value)
        merged.put(key, value, over.key_locations.get(key))
    return merged


def inherit(defaults: Table, above: Table, own: Table) -> Table:
    """A body's fields: its own, those of the one it is like, the defaults; the subject merges.

    Other mappings are replaced whole, so that {from, to} and {from, for} never mix.
    """
    found = Table()
    found.location = own.location
    for layer in (defaults, above, own):
        for key, value in layer.items():
            held = found.get(key)
            if key == "subject" and isinstance(held, Table) and isinstance(value, Table):
                value = merge(held, value)
            found.put(key, value, layer.key_locations.get(key))
    return found


def given(body: Table) -> Table:
    """A body without what was said to be nothing: ``key:`` takes an inherited value away."""
    return without(body, tuple(key for key, value in body.items() if value == ""))


class Likeness:
    """Follows ``like`` through one section of the document."""

    def __init__(self, section: Table, made: Mapping[str, Made], where: str) -> None:
        self._section = section
        self._made = made
        self._where = where
        self.problems: list[Problem] = []

    def above(self, key: str) -> tuple[Table, dict[str, str]]:
        """All that the body at ``key`` takes from those it is like, the nearest on top.

        With it come the variables of those that a range or a table made.
        """
        layers, seen, lent = list[Table](), [key], dict[str, str]()
        body: Any = self._section[key]
        while isinstance(body, Table) and "like" in body:
            target = body["like"]
            found, variables = self._find(target) if isinstance(target, Text) else (None, {})
            if found is None or found in seen:
                self._refuse(seen[-1], target, circle=found is not None)
                break
            if len(seen) > limits.LIKENESS:
                place = locate(self._section[key], ("like",))
                words = f"more than {limits.LIKENESS} bodies, each like the next"
                self._add(Problem(words, f"{self._where}.{key}.like", place))
                break
            seen.append(found)
            lent = {**variables, **lent}
            body = self._section[found]
            if isinstance(body, Table):
                layers.append(body)
        merged = Table()
        for layer in reversed(layers):
            merged = inherit(merged, Table(), without(layer, _OWN_KEYS))
        lent.pop("name", None)
        return merged, lent

    def _find(self, name: str) -> tuple[str | None, Mapping[str, str]]:
        return (name, {}) if name in self._section else self._made.get(name, (None, {}))

    def _add(self, problem: Problem) -> None:
        if len(self.problems) < limits.PROBLEMS:
            self.problems.append(problem)

    def _refuse(self, key: str, target: Any, *, circle: bool) -> None:
        if len(self.problems) >= limits.PROBLEMS:
            return  # words for more would take long to find, and nobody reads them
        place = locate(self._section, (key, "like"))
        where = f"{self._where}.{key}.like"
        if circle:
            self._add(Problem(f"'{key}' is like itself in the end", where, place))
        elif isinstance(target, Text):
            known = tuple(self._section)
            self._add(Problem(unknown(self._where[:-1], target, known), where, place))
        else:
            self._add(Problem("this must be a name", where, place))


def without(table: Table, keys: tuple[str, ...]) -> Table:
    """The table without some of its keys."""
    kept = table.copy()
    for key in keys:
        kept.pop(key, None)
    return kept
