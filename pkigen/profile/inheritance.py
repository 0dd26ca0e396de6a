"""Inheritance of a body: ``defaults`` for all, ``like`` from a sibling, ``extends`` from a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pkigen.documents import limits
from pkigen.documents.fields import unknown
from pkigen.documents.yaml_tree import Table, Text, locate
from pkigen.errors import Problem

_OWN_KEYS = ("like", "each")


Made = tuple[str, Mapping[str, str]]
"""Origin of a generated name: the key of the range or table, and the variables."""


def merge(base: Table, over: Table, *, nested: bool = True) -> Table:
    """Return ``base`` overridden by ``over``: mappings merge key by key, other values are replaced.

    Without ``nested``, the mappings in it are replaced as well.
    """
    merged = base.copy()
    for key, value in over.items():
        inherited = merged.get(key)
        if nested and isinstance(inherited, Table) and isinstance(value, Table):
            value = merge(inherited, value)
        merged.put(key, value, over.key_locations.get(key))
    return merged


def inherit(defaults: Table, above: Table, own: Table) -> Table:
    """Return the fields of a body: its own, those inherited by ``like``, the defaults; the subject merges.

    Other mappings are replaced as a whole, so that {from, to} and {from, for} never mix.
    """
    fields = Table()
    fields.location = own.location
    for layer in (defaults, above, own):
        for key, value in layer.items():
            inherited = fields.get(key)
            if key == "subject" and isinstance(inherited, Table) and isinstance(value, Table):
                # A value with a string type is a mapping, too: {O: {utf8: Contoso}}.
                value = merge(inherited, value, nested=False)
            fields.put(key, value, layer.key_locations.get(key))
    return fields


def given(body: Table) -> Table:
    """Return a body without empty fields: ``key:`` removes an inherited value."""
    return without(body, tuple(key for key, value in body.items() if value == ""))


class Likeness:
    """Resolves ``like`` in one section of the document."""

    def __init__(self, section: Table, made: Mapping[str, Made], where: str) -> None:
        self._section = section
        self._made = made
        self._where = where
        self.problems: list[Problem] = []

    def above(self, key: str) -> tuple[Table, dict[str, str]]:
        """Return all fields that the body at ``key`` inherits by ``like``; the nearest body overrides.

        Also returns the variables of inherited bodies that a range or a table generates.
        """
        layers, seen, lent = list[Table](), [key], dict[str, str]()
        body: Any = self._section[key]
        while isinstance(body, Table) and "like" in body:
            target = body["like"]
            name, variables = self._find(target) if isinstance(target, Text) else (None, {})
            if name is None or name in seen:
                self._refuse(seen[-1], target, circle=name is not None)
                break
            if len(seen) > limits.LIKENESS:
                place = locate(self._section[key], ("like",))
                words = f"more than {limits.LIKENESS} bodies, each like the next"
                self._add(Problem(words, f"{self._where}.{key}.like", place))
                break
            seen.append(name)
            lent = {**variables, **lent}
            body = self._section[name]
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
            return  # more messages would take long to build and add nothing
        place = locate(self._section, (key, "like"))
        where = f"{self._where}.{key}.like"
        if circle:
            self._add(Problem(f"'{key}' inherits from itself; remove one 'like' of the cycle", where, place))
        elif isinstance(target, Text):
            known = tuple(self._section)
            what = "certificate" if self._where == "enrolment" else self._where[:-1]
            self._add(Problem(unknown(what, target, known), where, place))
        else:
            self._add(Problem("this must be a name", where, place))


def without(table: Table, keys: tuple[str, ...]) -> Table:
    """Return the table without some of its keys."""
    remaining = table.copy()
    for key in keys:
        remaining.pop(key, None)
    return remaining
