"""Expands one body of the document to its specifications: a single one, a range, or a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from pkigen.documents.yaml_tree import (
    Items,
    Table,
    find,
    locate,
)
from pkigen.errors import Location, Problem
from pkigen.profile.inventory import Row
from pkigen.profile.messages import messages_of
from pkigen.profile.names import Pattern
from pkigen.profile.specifications import AuthoritySpec, EntitySpec
from pkigen.profile.template import UnknownVariable, is_template, render

_WORD = re.compile(r"\w+")
Spec = TypeVar("Spec", bound=EntitySpec)


class InstanceError(Exception):
    """An invalid instance, with all its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(*problems)


@dataclass(frozen=True, slots=True)
class Instance:
    """One name of a body, with its template variables and its table row."""

    name: str
    variables: Mapping[str, str]
    row: Location | None


@dataclass
class Body(Generic[Spec]):
    """A body of the document with all inherited fields; ``key`` is its name as written.

    Paths in the body are relative to ``folder``.
    """

    model: type[Spec]
    section: str
    key: str
    tree: Table
    pattern: Pattern
    rows: tuple[Row, ...] | None
    common: Mapping[str, str]
    folder: Path
    _first: Spec | None = field(default=None, init=False)
    _rendered_fields: tuple[str, ...] = field(default=(), init=False)
    _adapters: dict[str, TypeAdapter[Any]] = field(default_factory=dict, init=False)
    _renderers: dict[str, _Renderer] = field(default_factory=dict, init=False)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; it fills the caches again."""
        return {**self.__dict__, "_first": None, "_rendered_fields": (), "_adapters": {}, "_renderers": {}}

    @property
    def count(self) -> int:
        """The number of instances."""
        return self.pattern.count * (1 if self.rows is None else len(self.rows))

    @property
    def place(self) -> Location | None:
        """The location in the file."""
        return self.tree.location

    @property
    def where(self) -> str:
        """The path in the document, for messages."""
        return f"{self.section}.{self.key}"

    def instances(self) -> Iterator[Instance]:
        """Yield the instances in order; raise InstanceError for a template that does not render."""
        index = 0
        for row in self.rows if self.rows is not None else (None,):
            for text, number in self.pattern:
                index += 1
                own = {**self.common, "index": str(index), "number": number or self.common.get("number", "")}
                variables = {**own, **row.cells} if row else own
                place = row.location if row else None
                try:
                    name = render(text, variables) if is_template(text) else text
                except ValueError as error:
                    raise InstanceError([Problem(str(error), self.where, self._place(place))]) from error
                yield Instance(name, {"name": name, **variables}, place)

    def specification(self, instance: Instance) -> Spec:
        """Return the specification of an instance; raise InstanceError with all its problems.

        Validates the first instance as a whole; of the others, only the fields with templates.
        """
        if self._first is None:
            self._rendered_fields = tuple(key for key, value in self.tree.items() if _has_template(value))
            self._first = self._whole(instance)
            return self._first
        if self.model is AuthoritySpec:
            return self._whole(instance)
        update: dict[str, Any] = {"name": instance.name}
        for key in self._rendered_fields:
            update[key] = self._field(key, instance)
        return self._first.model_copy(update=update)

    def _whole(self, instance: Instance) -> Spec:
        rendered = {key: self._rendered(key, instance) for key in self.tree}
        try:
            model = self.model.model_validate(rendered, context={"folder": self.folder})
        except ValidationError as error:
            raise InstanceError(self._problems(error, (), instance)) from error
        return model.model_copy(update={"name": instance.name})

    def _field(self, key: str, instance: Instance) -> Any:
        adapter = self._adapters.get(key)
        if adapter is None:
            adapter = self._adapters[key] = _adapter(self.model, key)
        try:
            return adapter.validate_python(self._rendered(key, instance), context={"folder": self.folder})
        except ValidationError as error:
            raise InstanceError(self._problems(error, (key,), instance)) from error

    def _rendered(self, key: str, instance: Instance) -> Any:
        try:
            renderer = self._renderers.get(key)
            if renderer is None:
                renderer = self._renderers[key] = _renderer(self.tree[key])
            return renderer(instance.variables)
        except _TemplateError as error:
            path = (key, *error.path)
            unknown = isinstance(error.__cause__, UnknownVariable)
            row = None if unknown else self._cell(instance.row, path, str(error))
            problem = Problem(str(error), self._path_text(path), self._place(row, path))
            raise InstanceError([problem]) from error

    def _problems(
        self, error: ValidationError, prefix: tuple[str | int, ...], instance: Instance
    ) -> list[Problem]:
        problems = []
        for path, words, suggestion in messages_of(error, self.model, self.section, self.tree, prefix):
            cell = self._cell(instance.row, path, words)
            problems.append(Problem(words, self._path_text(path), self._place(cell, path), suggestion))
        return problems

    def _cell(self, place: Location | None, path: tuple[str | int, ...], message: str) -> Location | None:
        """Return the table cell that supplies the value at ``path``; None if there is none.

        Of several cells, returns the cell whose text the message quotes.
        """
        row = next((row for row in self.rows or () if row.location == place), None)
        if row is None or not path:
            return None
        words = {word for text in _templates(find(self.tree, path)) for word in _WORD.findall(text)}
        columns = [(n, text) for n, (column, text) in enumerate(row.cells.items(), 1) if column in words]
        if not columns:
            return None
        quoted = (number for number, text in columns if text and f"'{text}'" in message)
        return Location(row.location.file, row.location.line, next(quoted, columns[0][0]))

    def problem(
        self,
        instance: Instance,
        path: tuple[str | int, ...],
        message: str,
        suggestion: str | None = None,
    ) -> Problem:
        """Return a problem at a part of this body, or in the table cell that supplies the part."""
        place = self._place(self._cell(instance.row, path, message), path)
        return Problem(message, self._path_text(path), place, suggestion)

    def _path_text(self, path: tuple[str | int, ...]) -> str:
        written = (str(part) for part in _written(self.tree, path))
        return ".".join((self.section, self.key, *written))

    def _place(self, row: Location | None, path: tuple[str | int, ...] = ()) -> Location | None:
        return row or locate(self.tree, path) or self.tree.location


def _adapter(model: type[BaseModel], key: str) -> TypeAdapter[Any]:
    """Return the validator of a single field of a model."""
    declared = model.model_fields[key]
    annotation: Any = declared.annotation
    for metadata in declared.metadata:
        annotation = Annotated[annotation, metadata]
    return TypeAdapter(annotation)


class _TemplateError(Exception):
    def __init__(self, path: tuple[str | int, ...], words: str) -> None:
        self.path = path
        super().__init__(words)


def _templates(node: Any) -> Iterator[str]:
    """Yield every string with a template at or below a node."""
    if isinstance(node, Table | Items):
        for part in node.values() if isinstance(node, Table) else node:
            yield from _templates(part)
    elif isinstance(node, str) and is_template(node):
        yield node


def _has_template(node: Any) -> bool:
    if isinstance(node, Table):
        return any(map(_has_template, node.values()))
    if isinstance(node, Items):
        return any(map(_has_template, node))
    return is_template(node)


_Renderer = Callable[[Mapping[str, str]], Any]


def _renderer(node: Any, path: tuple[str | int, ...] = ()) -> _Renderer:
    """Return the function that renders a node; the parts without a template are the same in all results."""
    if isinstance(node, Table | Items):
        items: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, Table) else enumerate(node)
        templates = [(key, _renderer(value, (*path, key))) for key, value in items if _has_template(value)]
        plain = dict if isinstance(node, Table) else list

        def render_parts(variables: Mapping[str, str]) -> Any:
            rendered: Any = plain(node)
            for key, renderer in templates:
                rendered[key] = renderer(variables)
            return rendered

        return render_parts

    def render_text(variables: Mapping[str, str]) -> Any:
        try:
            return render(node, variables)
        except ValueError as error:
            raise _TemplateError(path, str(error)) from error

    return render_text if is_template(node) else lambda _variables: node


def _written(tree: Any, path: tuple[str | int, ...]) -> Iterator[str | int]:
    """Yield the written parts of a model's path: a bare list has no field name."""
    for index, part in enumerate(path):
        if isinstance(tree, Table) and part in tree:
            tree = tree[str(part)]
        elif isinstance(tree, Items) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        elif index < len(path) - 1 or not isinstance(tree, Table):
            continue
        yield part
