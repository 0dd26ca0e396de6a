"""Translates pydantic's validation errors into messages, with the keys that a model accepts."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from pkigen.documents.fields import KeyedError, close_to

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
    """Return the errors one by one; omit the follow-up error that a list with an invalid item is empty.

    The location of a KeyedError ends with its key.
    """
    errors: list[Any] = error.errors(include_url=False, include_input=False)
    for one in errors:
        cause = one.get("ctx", {}).get("error")
        if isinstance(cause, KeyedError):
            one["loc"] = (*one["loc"], cause.key)
    return [one for one in errors if one["type"] != "too_short" or not _is_above_another(one["loc"], errors)]


def _is_above_another(path: tuple[str | int, ...], details: list[Any]) -> bool:
    return any(d["loc"][: len(path)] == path and len(d["loc"]) > len(path) for d in details)


def words_of(detail: Any, model: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, str | None]:
    """Return the message for a detail of a ValidationError, and the suggestion, if any."""
    kind = detail["type"]
    if kind == "extra_forbidden":
        key = str(path[-1])
        return unknown_key(key), close_to(key, keys_of(model, path[:-1]))
    if kind == "value_error":
        return str(detail["ctx"]["error"]), None
    if kind in _BOUNDED_WORDS:
        return _BOUNDED_WORDS[kind].format_map(detail["ctx"]), None
    return _PYDANTIC_WORDS.get(kind, "this cannot be said here"), None


def unknown_key(key: str) -> str:
    """Return the message for a key that does not exist, which can be the rest of a text after a comma."""
    hint = "; in {...}, put texts that contain a comma in quotes" if " " in key else ""
    return f"unknown key '{key}'{hint}"


def keys_of(model: type[BaseModel], path: tuple[str | int, ...] = ()) -> tuple[str, ...]:
    """Return the keys that are valid in the mapping at ``path`` below a model."""
    current = model_at(model, path)
    if current is None:
        return ()
    fields = current.model_fields.items()
    return tuple(str(field.validation_alias or name) for name, field in fields if field.init is not False)


def model_at(model: type[BaseModel], path: tuple[str | int, ...]) -> type[BaseModel] | None:
    """Return the model of the mapping at ``path`` below a model."""
    current: type[BaseModel] | None = model
    for part in path:
        if current is not None and isinstance(part, str):
            field = next(
                (f for n, f in current.model_fields.items() if part in (n, f.validation_alias)), None
            )
            current = _model_in(field.annotation) if field else None
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(part) for part in getattr(annotation, "__args__", ()))
    return next((candidate for candidate in inner if candidate is not None), None)
