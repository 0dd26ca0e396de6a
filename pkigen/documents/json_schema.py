"""Shared parts of the JSON Schemas of profiles, manifests and requirement sets."""

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


def draft_07(schema: Any) -> Any:
    """Return a schema of draft 2020-12 as one of draft-07, for editors and catalogs that know no later draft.

    Definitions have another keyword, and keywords beside ``$ref`` are ignored. The schemas use no other
    keyword that differs.
    """
    return {**_draft_07(schema), "$schema": "http://json-schema.org/draft-07/schema#"}


def _draft_07(node: Any) -> Any:
    if isinstance(node, list):
        return [_draft_07(part) for part in node]
    if not isinstance(node, dict):
        return node
    result = dict[str, Any]()
    for key, value in node.items():
        match key:
            case "$defs" | "properties":
                result["definitions" if key == "$defs" else key] = {k: _draft_07(v) for k, v in value.items()}
            case "default" | "const" | "enum":
                result[key] = value
            case "$ref":
                result[key] = value.replace("#/$defs/", "#/definitions/")
            case _:
                result[key] = _draft_07(value)
    reference = {"$ref": result.pop("$ref")} if len(result) > 1 and "$ref" in result else None
    return result if reference is None else {"allOf": [reference], **result}
