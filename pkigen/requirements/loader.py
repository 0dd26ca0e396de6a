"""Loads requirement sets by name or from files; errors have line and column, as in profiles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pkigen.documents import limits, shipped
from pkigen.documents.fields import close_to, unknown
from pkigen.documents.set_reference import SetReference, named, parse_reference
from pkigen.documents.validation import details_of, keys_of, unknown_key, words_of
from pkigen.documents.yaml_tree import (
    Table,
    find,
    locate,
    parse,
)
from pkigen.errors import InputError, Problem, visible
from pkigen.files import read_file
from pkigen.requirements.document import VALIDATION, Requirement, RequirementSet

_MOST_EXTENSIONS = 8


def load_set(reference: str | SetReference, directory: Path | None = None) -> RequirementSet:
    """Return the requirement set that a reference names, with its role and switches selected.

    The set is a shipped one, or a file (a path with .yaml or .yml), which is relative to ``directory``.
    An InputError lists all problems of the set, or states that the role or a switch is unknown.
    """
    try:
        parsed = parse_reference(reference) if isinstance(reference, str) else reference
        chosen = load_declared(parsed.set, directory).for_role(parsed.role)
        if not parsed.switches:
            return chosen
        changed = {name: value for name, value in parsed.switches if value is not chosen.is_on(name)}
        name = named(chosen.name, None, tuple(changed.items()))
        return chosen.switched(dict(parsed.switches)).model_copy(update={"name": name})
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(Problem(str(error))) from error


def load_declared(name: str, directory: Path | None = None) -> RequirementSet:
    """Return the shipped set with a name, or the set in a file, with all its roles."""
    if name in shipped.requirement_sets():
        return _shipped_set(name)
    return _load(((directory or Path()) / name), ())


def switched(sets: Iterable[RequirementSet], values: Mapping[str, bool]) -> tuple[RequirementSet, ...]:
    """Return sets with other values of the switches that they have; InputError for a switch of no set.

    Without the switch ``validation``, a set is the same with and without validation.
    """
    every = tuple(sets)
    known = tuple(dict.fromkeys(name for one in every for name in one.known_switches))
    for name in values:
        if name not in (*known, VALIDATION):
            names = ", ".join(one.name for one in every)
            words = (
                f"no such switch: '{name}'; {names} has none" if not known else unknown("switch", name, known)
            )
            raise InputError(words)
    return tuple(
        one.switched({name: value for name, value in values.items() if name in one.known_switches})
        for one in every
    )


@lru_cache(maxsize=64)
def _shipped_set(name: str) -> RequirementSet:
    return _load(shipped.requirement_set_folder() / f"{name}.yaml", ())


def _load(path: Path, below: tuple[Path, ...]) -> RequirementSet:
    """Return the set in a file; ``below`` are the files that lead to it by ``extends``."""
    try:
        tree = parse(read_file(path, limits.FILE_BYTES), str(path))
    except ValueError as error:
        raise InputError(str(error)) from error
    try:
        own = RequirementSet.model_validate(tree)
    except ValidationError as error:
        details = details_of(error)[: limits.PROBLEMS]
        raise InputError([_problem(tree, detail) for detail in details]) from error
    merged = own if own.extends is None else _extended(own, tree, path, below)
    if not merged.requirements:
        raise InputError(_reference(tree, ("requirements",), "a set needs at least one requirement"))
    if problems := list(_references(merged, own, tree))[: limits.PROBLEMS]:
        raise InputError(problems)
    return merged


def _extended(own: RequirementSet, tree: Table, path: Path, below: tuple[Path, ...]) -> RequirementSet:
    """Return a set merged over the one that it extends."""
    assert own.extends is not None
    try:
        base = _base_path(own.extends, path)
    except ValueError as error:
        raise InputError(_reference(tree, ("extends",), str(error))) from error
    chain = (*below, path)
    if base in chain or len(chain) > _MOST_EXTENSIONS:
        words = (
            "the sets extend each other in a circle" if base in chain else "too many sets extend each other"
        )
        raise InputError(_reference(tree, ("extends",), words))
    try:
        lower = _load(base, chain)
    except InputError as error:
        problems = [p if p.location else _reference(tree, ("extends",), p.message) for p in error.problems]
        raise InputError(problems) from error
    ids = [one.id for one in lower.requirements]
    if missing := [one for one in own.without if one not in ids]:
        raise InputError(_reference(tree, ("without",), unknown("requirement", missing[0], tuple(ids))))
    replaced = {one.id: one for one in own.requirements if one.id in ids}
    inherited = (replaced.get(one.id, one) for one in lower.requirements if one.id not in own.without)
    added = (one for one in own.requirements if one.id not in replaced)
    return own.model_copy(
        update={
            "switches": {**lower.switches, **own.switches},
            "roles": {**lower.roles, **own.roles},
            "messages": {**lower.messages, **own.messages},
            "otherwise": own.otherwise if "otherwise" in own.model_fields_set else lower.otherwise,
            "not_covered": tuple(dict.fromkeys((*lower.not_covered, *own.not_covered))),
            "requirements": (*inherited, *added),
        }
    )


def _base_path(name: str, path: Path) -> Path:
    """Return the file of the set that a set extends: a shipped name, or a path relative to its file."""
    if shipped.is_set_file(name):
        return path.parent / name
    if name not in shipped.requirement_sets():
        raise ValueError(unknown("requirement set", name, shipped.requirement_sets()))
    return shipped.requirement_set_folder() / f"{name}.yaml"


def _references(merged: RequirementSet, own: RequirementSet, tree: Table) -> Iterator[Problem]:
    """Yield the duplicate IDs, and the references to things that do not exist, in a set's own part."""
    ids = tuple(requirement.id for requirement in merged.requirements)
    own_ids = [requirement.id for requirement in own.requirements]
    switches = (*merged.switches, VALIDATION)
    for number, one in enumerate(own.requirements):
        path = ("requirements", number)
        if one.id in own_ids[:number]:
            yield _reference(tree, (*path, "id"), f"the id '{one.id}' exists already")
        if one.message is not None and one.message not in merged.messages:
            words = unknown("message", one.message, tuple(merged.messages))
            yield _reference(tree, (*path, "message"), words)
        for key, switch in (("when", one.when), ("unless", one.unless)):
            if switch is not None and switch not in switches:
                yield _reference(tree, (*path, key), unknown("switch", switch, switches))
        others = ((path, demand.other_role) for demand in one.demands if demand.other_role is not None)
        for where, role in (*(((*path, "for"), role) for role in one.for_), *others):
            if role not in merged.roles:
                yield _reference(tree, where, _unknown_role(role, merged))
        yield from _references_of_cases(one, path, ids, tree)


def _references_of_cases(
    one: Requirement, path: tuple[str | int, ...], ids: tuple[str, ...], tree: Table
) -> Iterator[Problem]:
    """Yield the references of 'together' to requirements and variants of cases that do not exist."""
    for index, part in enumerate(one.together):
        variants = tuple(violation.variant for violation in one.violations()) if part.variants else ()
        for key, noun, names, known in (
            ("ids", "requirement", part.ids, ids),
            ("variants", "variant", part.variants, variants),
        ):
            for name in names:
                if name not in known:
                    yield _reference(tree, (*path, "together", index, key), unknown(noun, name, known))


def _unknown_role(role: str, merged: RequirementSet) -> str:
    return unknown("role", role, tuple(merged.roles)) if merged.roles else "the set has no 'roles'"


def _reference(tree: Table, path: tuple[str | int, ...], words: str) -> Problem:
    return Problem(visible(words), ".".join(map(str, path)), locate(tree, path))


def _problem(tree: Table, detail: Any) -> Problem:
    path = _with_kind(tree, detail["loc"])
    if detail["type"] == "missing":
        words, suggestion = f"'{path[-1]}' is missing", None
    elif detail["type"] == "extra_forbidden":
        words = unknown_key(str(path[-1]))
        suggestion = close_to(str(path[-1]), _keys_at(path[:-1]))
    else:
        words, suggestion = words_of(detail, RequirementSet, path)
    where = visible(".".join(map(str, path)))
    return Problem(visible(words), where, locate(tree, path) or tree.location, suggestion)


def _with_kind(tree: Table, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Insert the kind of the demand into a path: pydantic leaves out this key."""
    if len(path) < 4 or path[2] not in ("demand", "any", "if", "then"):
        return path
    end = 4 if path[2] == "any" else 3
    demand = find(tree, path[:end])
    kind = next(iter(demand)) if isinstance(demand, Table) and demand else ""
    return (*path[:end], kind, *path[end:])


def _keys_at(path: tuple[str | int, ...]) -> tuple[str, ...]:
    """Return the known keys of the mapping at a path."""
    if not path:
        return keys_of(RequirementSet)
    if len(path) == 2 and path[0] == "requirements":
        return keys_of(Requirement)
    from pkigen.requirements.demands import KINDS

    named = path[-1]
    return tuple(KINDS[named].model_fields) if isinstance(named, str) and named in KINDS else ()
