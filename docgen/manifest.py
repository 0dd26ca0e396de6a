"""The objects of manifest.json, from its JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pkigen.environment.manifest.schema import json_schema
from pkigen.profile.reference import words

_WHOLE = "The document"


def objects() -> str:
    """Return a section for the document and for each object in it, from the outside to the inside."""
    schema = json_schema()
    nodes = {_WHOLE: schema}
    for name in _reached(schema, schema["$defs"]):
        nodes[name] = schema["$defs"][name]
    return "\n".join(line for name, node in nodes.items() for line in _object(name, node, schema["$defs"]))


def _reached(node: Any, definitions: dict[str, Any]) -> dict[str, None]:
    """Return the names of the objects below a node, each once, nearest first."""
    names, level = dict[str, None](), list(_references(node))
    while level:
        names |= dict.fromkeys(name for name in level if name not in names)
        level = [n for name in level for n in _references(definitions[name]) if n not in names]
    return names


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].rpartition("/")[2]
        for key, part in node.items():
            if key != "$defs":
                yield from _references(part)
    elif isinstance(node, list):
        for part in node:
            yield from _references(part)


def _object(name: str, node: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    yield f"## {name} {{ #{words.anchor(name)} }}"
    yield ""
    if name != _WHOLE:
        yield words.escaped(node.get("description", ""))
        yield ""
    yield "| field | value | description |"
    yield "|---|---|---|"
    for field, schema in node["properties"].items():
        # For an object, show its name as a link to its section.
        text = " or ".join(_values(schema, definitions))
        yield f"| `{field}` | {text} | {words.escaped(schema.get('description', ''))} |"
    yield ""


def _values(node: dict[str, Any], definitions: dict[str, Any]) -> Iterator[str]:
    if "anyOf" in node:
        for choice in node["anyOf"]:
            yield from _values(choice, definitions)
    elif "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        yield f"[{name}](#{name.lower()})"
    elif node.get("type") == "array":
        yield f"a list of {' or '.join(_plural(one) for one in _values(node['items'], definitions))}"
    elif node.get("type") == "object":
        yield "a mapping of strings"
    elif node.get("type") in ("string", "integer"):
        yield words.value({key: entry for key, entry in node.items() if key != "description"}, definitions)
    else:
        yield words.value(node, definitions)


def _plural(value: str) -> str:
    return "strings" if value == "a string" else value
