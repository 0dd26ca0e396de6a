"""Messages for the validation errors of a profile, with what to write instead of wrong keys and values."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from pkigen.documents.fields import close_to
from pkigen.documents.validation import details_of, keys_of, model_at, unknown_key, words_of
from pkigen.documents.yaml_tree import Table, find
from pkigen.profile.key_hints import find_hint
from pkigen.profile.value_hints import plain

Path = tuple[str | int, ...]
_SHAPES = ("model_type", "model_attributes_type", "dict_type", "tuple_type", "missing")


def messages_of(
    error: ValidationError,
    model: type[BaseModel],
    section: str,
    tree: Table,
    prefix: Path = (),
    others: tuple[str, ...] = (),
) -> Iterator[tuple[Path, str, str | None]]:
    """Yield the path below a model, the message and the suggested key for each error.

    ``section`` is the section of the profile with the mapping ``tree``, ``others`` are keys that the model
    does not have. A key that is missing because it has a wrong name is reported as the wrong name.
    """
    paths = set[Path]()
    for detail in details_of(error):
        path: Path = (*prefix, *detail["loc"])
        kind, key = detail["type"], str(path[-1]) if path else ""
        place = _place(model, section, path[:-1])
        known = keys_of(model, path[:-1]) + (others if len(path) == 1 else ())
        body = find(tree, path[:-1])
        if kind == "missing" and (misnamed := _misnamed(place, key, body, known)):
            kind, key, path = "extra_forbidden", misnamed, (*path[:-1], misnamed)
        if path in paths and kind == "extra_forbidden":
            continue
        paths.add(path)
        value = find(tree, path)
        if kind == "extra_forbidden":
            yield path, *unknown_key_of(place, key, value, known)
            continue
        words, suggestion = words_of(detail, model, path)
        hint = find_hint(place, key, value) if kind in _SHAPES else None
        if kind == "tuple_type" and hint is None and plain(value):
            words = f"{words}; write [{value}]"
        yield path, f"{words}; write {hint.written(value)}" if hint else words, suggestion


def unknown_key_of(place: str, key: str, value: object, known: tuple[str, ...]) -> tuple[str, str | None]:
    """Return the message for an unknown key of a section or model, and the suggested key, if any."""
    hint = find_hint(place, key, value)
    if hint is None:
        return unknown_key(key), close_to(key, known)
    return f"{unknown_key(key)}; write {hint.written(value)}", None


def _place(model: type[BaseModel], section: str, path: Path) -> str:
    """Return the key of a mapping in the tables of hints: its section, or below it, its model."""
    if not path:
        return section
    below = model_at(model, path)
    return below.__name__ if below else ""


def _misnamed(place: str, key: str, body: object, known: tuple[str, ...]) -> str | None:
    """Return the key of a mapping that another tool uses for ``key``."""
    for word, value in body.items() if isinstance(body, Table) else ():
        hint = find_hint(place, word, value)
        if word not in known and hint is not None and hint.key == key:
            return word
    return None
