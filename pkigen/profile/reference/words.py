"""Describes JSON Schema nodes in words, and escapes text for Markdown."""

from __future__ import annotations

import html
import re
from typing import Any

_FIXED = {"null": "`null`", "boolean": "`true` or `false`"}
_PLURALS = {"a string": "strings", "a mapping": "mappings"}
_LISTED = re.compile(r"[\w.+-]+(, [\w.+-]+)+")


def anchor(*parts: str) -> str:
    """Return the anchor of a heading."""
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)


def code(text: str) -> str:
    """Format a literal value as code."""
    return f"`{text}`"


def escaped(text: str) -> str:
    """Escape plain text for HTML in Markdown; text in backticks becomes code."""
    text_html = html.escape(text, quote=False)
    text_html = re.sub(r"``?([^`]+)``?", r"<code>\1</code>", text_html)
    return text_html.replace("*", "&#42;").replace("_", "&#95;").replace("|", "&#124;")


def value(node: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return the possible values of a schema node, in Markdown."""
    return " or ".join(dict.fromkeys(_values(node, definitions)))


def _values(node: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    if "anyOf" in node:
        return [part for choice in node["anyOf"] for part in _values(choice, definitions)]
    if "$ref" in node:
        return _values(definitions[node["$ref"].rpartition("/")[2]], definitions)
    if "const" in node:
        return [code(str(node["const"]))]
    if "enum" in node:
        return [", ".join(map(code, node["enum"]))]
    kinds = node.get("type", "")
    return [_of_type(kinds if isinstance(kinds, str) else kinds[0], node, definitions)]


def _of_type(kind: str, node: dict[str, Any], definitions: dict[str, Any]) -> str:
    description = str(node.get("description", ""))
    if kind == "array":
        return _list(node, definitions)
    if kind == "object":
        return (
            f"a mapping such as {code(description)}"
            if description and "properties" not in node
            else "a mapping"
        )
    if kind == "integer":
        return _number(node)
    if kind in _FIXED:
        return _FIXED[kind]
    if node.get("format") == "date-time":
        return "a time"
    if _LISTED.fullmatch(description):
        return ", ".join(map(code, description.split(", ")))
    return description or "a string"


def _list(node: dict[str, Any], definitions: dict[str, Any]) -> str:
    if not (items := node.get("items")):
        return "a list"
    inner = value(items, definitions)
    if inner in _PLURALS:
        return f"a list of {_PLURALS[inner]}"
    return f"a list: {inner}"


def _number(node: dict[str, Any]) -> str:
    least, most = node.get("minimum"), node.get("maximum")
    if least is None or most is None or most >= 2**31:
        return "a number"
    return f"a number from {least} to {most}"


def default(node: dict[str, Any]) -> str:
    """Return the default of a schema node, or an empty string."""
    default_value = node.get("default")
    if isinstance(default_value, bool):
        return code(str(default_value).lower())
    if isinstance(default_value, dict):
        return code(default_value["text"]) if "text" in default_value else ""
    return code(str(default_value)) if default_value not in (None, "", []) else ""
