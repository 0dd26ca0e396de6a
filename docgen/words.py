"""JSON Schema in words, and words in Markdown."""

from __future__ import annotations

import html
import re
from typing import Any

_FIXED = {"null": "`null`", "boolean": "`true` or `false`"}
_PLURALS = {"a text": "texts", "a mapping": "mappings"}
_LISTED = re.compile(r"[\w.+-]+(, [\w.+-]+)+")


def anchor(*parts: str) -> str:
    """The id of a heading."""
    return "-".join(re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-") for part in parts)


def code(text: str) -> str:
    """A text as it is written in a file."""
    return f"`{text}`"


def escaped(text: str) -> str:
    """Plain text for HTML in Markdown; what stands in backticks is code."""
    shown = html.escape(text, quote=False)
    shown = re.sub(r"``?([^`]+)``?", r"<code>\1</code>", shown)
    return shown.replace("*", "&#42;").replace("_", "&#95;").replace("|", "&#124;")


def value(node: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What can be written where a node of a schema stands, in Markdown."""
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
    said = str(node.get("description", ""))
    if kind == "array":
        return _list(node, definitions)
    if kind == "object":
        return f"a mapping such as {code(said)}" if said and "properties" not in node else "a mapping"
    if kind == "integer":
        return _number(node)
    if kind in _FIXED:
        return _FIXED[kind]
    if node.get("format") == "date-time":
        return "an instant"
    if _LISTED.fullmatch(said):
        return ", ".join(map(code, said.split(", ")))
    return said or "a text"


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
    """A schema's own default, where it says something."""
    held = node.get("default")
    if isinstance(held, bool):
        return code(str(held).lower())
    if isinstance(held, dict):
        return code(held["text"]) if "text" in held else ""
    return code(str(held)) if held not in (None, "", []) else ""
