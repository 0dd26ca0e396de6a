"""What the JSON Schemas of profiles and requirement sets have in common."""

from __future__ import annotations

from typing import Any

DEFINITIONS = "#/$defs/{model}"
"""pydantic's template for references between models."""


def relaxed(schema: Any) -> Any:
    """Texts may look like numbers or booleans to an editor: we read what was written."""
    if isinstance(schema, list):
        return [relaxed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: relaxed(value) for key, value in schema.items()}
    if found.get("type") == "string" and "const" not in found:
        found["type"] = ["string", "number", "boolean", "null"]
    elif found.get("type") == "":
        del found["type"]
    elif found.get("type") in ("integer", "boolean"):
        found["type"] = [found["type"], "string"]
    return found
