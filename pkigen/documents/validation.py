"""Translates pydantic's validation errors into messages, with the keys that a model accepts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from pkigen.documents.fields import close_to

_PYDANTIC_WORDS = {
    "missing": "this is missing",
    "bool_parsing": "this is true or false",
    "bool_type": "this is true or false",
    "int_parsing": "this is a whole number",
    "int_type": "this is a whole number",
    "float_parsing": "this is a number",
    "string_type": "this must be a text",
    "tuple_type": "this must be a list",
    "model_type": "this must be a mapping",
    "model_attributes_type": "this must be a mapping",
    "dict_type": "this must be a mapping",
    "int_parsing_size": "this is a whole number of fewer digits",
}

_BOUNDED_WORDS = {
    "literal_error": "this must be {expected}",
    "enum": "this must be {expected}",
    "string_pattern_mismatch": "this must match {pattern}",
    "greater_than_equal": "this must be at least {ge}",
    "less_than_equal": "this must be at most {le}",
    "string_too_short": "this must have at least {min_length} characters",
    "string_too_long": "this must have at most {max_length} characters",
    "too_short": "there must be at least {min_length} of these",
    "too_long": "there must be at most {max_length} of these",
}


def details_of(error: ValidationError) -> list[Any]:
    """What is wrong, one by one. A list of which a part is wrong counts as empty: that is not told."""
    found: list[Any] = error.errors(include_url=False, include_input=False)
    return [one for one in found if one["type"] != "too_short" or not _is_above_another(one["loc"], found)]


def _is_above_another(path: tuple[str | int, ...], details: list[Any]) -> bool:
    return any(d["loc"][: len(path)] == path and len(d["loc"]) > len(path) for d in details)


def words_of(detail: Any, model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, str | None]:
    """What a detail of a ValidationError means for a person, and what was perhaps meant."""
    kind = detail["type"]
    if kind == "extra_forbidden":
        key = str(path[-1])
        return f"unknown key '{key}'", close_to(key, keys_of(model, path[:-1]))
    if kind == "value_error":
        return str(detail["ctx"]["error"]), None
    if kind in _BOUNDED_WORDS:
        return _BOUNDED_WORDS[kind].format_map(detail["ctx"]), None
    return _PYDANTIC_WORDS.get(kind, "this cannot be said here"), None


def keys_of(model: type[BaseModel], path: tuple[str | int, ...] = ()) -> tuple[str, ...]:
    """The keys that can be written in the mapping at ``path`` below a model."""
    found: type[BaseModel] | None = model
    for part in path:
        if found is not None and isinstance(part, str):
            field = next((f for n, f in found.model_fields.items() if part in (n, f.validation_alias)), None)
            found = _model_in(field.annotation) if field else None
    if found is None:
        return ()
    fields = found.model_fields.items()
    return tuple(str(field.validation_alias or name) for name, field in fields if field.init is not False)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((found for found in inner if found is not None), None)
