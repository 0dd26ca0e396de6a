"""Requirement sets by name or from files; what is wrong with one is said like a profile's errors."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pkigen.documents import limits, shipped
from pkigen.documents.fields import close_to, unknown
from pkigen.documents.validation import details_of, words_of
from pkigen.documents.yaml_tree import (
    Table,
    find,
    locate,
    parse,
)
from pkigen.errors import InputError, Problem, visible
from pkigen.files import read_file
from pkigen.requirements.demands import KINDS
from pkigen.requirements.document import Requirement, RequirementSet


def load_set(name: str, directory: Path | None = None) -> RequirementSet:
    """Return the shipped requirement set with a name, or the set in a file (a path with .yaml or .yml).

    A path is relative to ``directory``. An InputError lists all problems of the set.
    """
    if name in shipped.requirement_sets():
        return _shipped_set(name)
    if shipped.is_set_file(name):
        return _validated(_tree((directory or Path()) / name))
    words = unknown("requirement set", name, shipped.requirement_sets())
    raise InputError(Problem(f"{words}. A set of your own is a path that ends in .yaml"))


@lru_cache(maxsize=64)
def _shipped_set(name: str) -> RequirementSet:
    return _validated(_tree(shipped.requirement_set_folder() / f"{name}.yaml"))


def _tree(path: Path) -> Table:
    try:
        return parse(read_file(path, limits.FILE_BYTES), str(path))
    except ValueError as error:
        raise InputError(str(error)) from error


def _validated(tree: Table) -> RequirementSet:
    try:
        requirement_set = RequirementSet.model_validate(tree)
    except ValidationError as error:
        details = details_of(error)[: limits.PROBLEMS]
        raise InputError([_problem(tree, detail) for detail in details]) from error

    if problems := list(_references(requirement_set, tree))[: limits.PROBLEMS]:
        raise InputError(problems)
    return requirement_set


def _references(requirement_set: RequirementSet, tree: Table) -> Iterator[Problem]:
    """Yield the duplicate IDs, and the references to messages and requirements that do not exist."""
    ids = [requirement.id for requirement in requirement_set.requirements]
    for number, one in enumerate(requirement_set.requirements):
        path = ("requirements", number)
        if one.id in ids[:number]:
            yield _reference(tree, (*path, "id"), f"the id '{one.id}' exists already")
        if one.message is not None and one.message not in requirement_set.messages:
            words = unknown("message", one.message, tuple(requirement_set.messages))
            yield _reference(tree, (*path, "message"), words)
        for index, part in enumerate(one.together):
            for other in part.ids:
                if other not in ids:
                    words = unknown("requirement", other, tuple(ids))
                    yield _reference(tree, (*path, "together", index, "ids"), words)


def _reference(tree: Table, path: tuple[str | int, ...], words: str) -> Problem:
    return Problem(visible(words), ".".join(map(str, path)), locate(tree, path))


def _problem(tree: Table, detail: Any) -> Problem:
    path = _with_kind(tree, detail["loc"])
    if detail["type"] == "missing":
        words, suggestion = f"'{path[-1]}' is missing", None
    elif detail["type"] == "extra_forbidden":
        words = f"unknown key '{path[-1]}'"
        suggestion = close_to(str(path[-1]), _keys_at(path[:-1]))
    else:
        words, suggestion = words_of(detail, RequirementSet, path)
    where = visible(".".join(map(str, path)))
    return Problem(visible(words), where, locate(tree, path) or tree.location, suggestion)


def _with_kind(tree: Table, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Insert the kind of the demand into a path: pydantic leaves out this key."""
    if len(path) < 4 or path[2] != "demand":
        return path
    demand = find(tree, path[:3])
    kind = next(iter(demand)) if isinstance(demand, Table) and demand else ""
    return (*path[:3], kind, *path[3:])


def _keys_at(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """Return the known keys of the mapping at a path."""
    if not path:
        return tuple(RequirementSet.model_fields)
    if len(path) == 2 and path[0] == "requirements":
        return tuple(Requirement.model_fields)
    named = path[-1]
    return tuple(KINDS[named].model_fields) if isinstance(named, str) and named in KINDS else ()
