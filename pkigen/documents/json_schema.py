"""Shared parts of the JSON Schemas of profiles and requirement sets."""

from __future__ import annotations

from typing import Any

DEFINITIONS = "#/$defs/{model}"
"""pydantic's template for references between models."""


def relaxed(schema: Any) -> Any:
    """Return a schema that also accepts numbers and booleans where YAML editors see them."""
    if isinstance(schema, list):
        return [relaxed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: relaxed(value) for key, value in schema.items()}
    if result.get("type") == "string" and "const" not in result:
        result["type"] = ["string", "number", "boolean", "null"]
    elif result.get("type") == "":
        del result["type"]
    elif result.get("type") in ("integer", "boolean"):
        result["type"] = [result["type"], "string"]
    return result
