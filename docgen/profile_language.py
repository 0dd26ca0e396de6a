"""The keys of a profile: what the JSON Schema knows of each, and what ``profile_words.yaml`` says of it.

A key without words, and words without a key, are errors: the page has every key, and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from docgen import words
from pkigen.formats.output_formats import OUTPUT_FORMATS
from pkigen.profile.schema import json_schema
from pkigen.profile.specifications import AuthoritySpec, CertificateSpec, EntitySpec

WORDS = Path(__file__).with_name("profile_words.yaml")
_SECTIONS = ("defaults", "authorities", "certificates")
_OF_BODIES = ("like", "each")
_PLAIN = ("head", "entity")
"""Parts whose keys are anchors as they are; ``issuer`` is a key of two others."""


def section(name: str) -> str:
    """The keys of one part of a profile, each with a heading; ValueError when words and keys differ."""
    known = _parts()
    said = _words()
    if name not in known:
        raise ValueError(f"no part of a profile is called '{name}'; there are {', '.join(known)}")
    _compare(name, known[name], said.get(name, {}))
    before = "" if name in _PLAIN else f"{name}-"
    shown = dict[str, str]()
    return "\n".join(_entry(key, node, said[name][key], before, shown) for key, node in known[name].items())


@cache
def _parts() -> dict[str, dict[str, Any]]:
    """By part: key -> its node of the schema."""
    schema = json_schema()
    bodies = {
        "authority": (schema["$defs"]["AuthoritySpec"], AuthoritySpec),
        "certificate": (schema["$defs"]["CertificateSpec"], CertificateSpec),
    }
    common = [*(name for name in EntitySpec.model_fields if name != "name"), *_OF_BODIES]
    found = {"head": dict(schema["properties"])}
    found["entity"] = {key: bodies["certificate"][0]["properties"][key] for key in common}
    for name, (body, _) in bodies.items():
        found[name] = {key: node for key, node in body["properties"].items() if key not in common}
    return found


def _output_formats() -> str:
    """List the registered output formats: name, file and purpose."""
    return "; ".join(f"`{one.name}` ({one.file}): {one.purpose}" for one in OUTPUT_FORMATS.values())


@cache
def _words() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORDS.read_bytes())
    unused = found.keys() - _parts().keys() - json_schema()["$defs"].keys()
    if unused:
        raise ValueError(f"{WORDS.name} has words for {', '.join(sorted(unused))}, which no profile has")
    return found


def _compare(name: str, keys: dict[str, Any], said: dict[str, Any]) -> None:
    if missing := [key for key in keys if key not in said]:
        raise ValueError(f"{WORDS.name}, {name}: no words for {', '.join(missing)}")
    if surplus := [key for key in said if key not in keys]:
        raise ValueError(f"{WORDS.name}, {name}: words for {', '.join(surplus)}, which is no key")


def _entry(
    key: str, node: dict[str, Any], said: str | dict[str, str], before: str, shown: dict[str, str]
) -> str:
    """A key, its anchor after ``before``; ``shown`` has by mapping the key that its table was shown at."""
    told = {"says": said} if isinstance(said, str) else said
    facts = ["a mapping" if key in _SECTIONS else _value(node, told)]
    otherwise = told.get("else") or words.default(node)
    facts += [f"if not said: {otherwise}"] if otherwise else []
    lines = [f"### `{key}` {{ #{before}{words.anchor(key)} }}", "", " · ".join(facts), "{ .facts }", ""]
    lines += [told["says"].strip().replace("{output_formats}", _output_formats()), ""]
    models = () if key in _SECTIONS else tuple(dict.fromkeys(_models(node)))
    for model in models:
        if shown.setdefault(model, key) == key:
            lines += _table(model, "key" if model == models[0] else f"key of {_title(model)}")
        else:
            place = f"[`{shown[model]}`](#{before}{words.anchor(shown[model])})"
            lines += [f"As a mapping it has the keys of {place}.", ""]
            break
    if "example" in told:
        lines += ["```yaml", told["example"].rstrip(), "```", ""]
    return "\n".join(lines)


def _value(node: dict[str, Any], told: dict[str, str]) -> str:
    """What can be written for a key; nobody writes ``null``."""
    if "value" in told:
        return told["value"]
    choices = [choice for choice in node.get("anyOf", [node]) if choice.get("type") != "null"]
    return words.value({"anyOf": choices}, json_schema()["$defs"])


def _models(node: Any) -> Iterator[str]:
    """The mappings that a key can hold, by name; inner ones after those that hold them."""
    if isinstance(node, list):
        for part in node:
            yield from _models(part)
    elif isinstance(node, dict) and "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        yield name
        yield from _models(_mapping(name)["properties"])
    elif isinstance(node, dict):
        for part in node.values():
            yield from _models(part)


def _mapping(name: str) -> dict[str, Any]:
    definition = json_schema()["$defs"][name]
    choices: list[dict[str, Any]] = definition.get("anyOf", [definition])
    return next(choice for choice in choices if "properties" in choice)


def _table(model: str, title: str) -> Iterator[str]:
    mapping, said = _mapping(model), _words().get(model, {})
    keys = mapping["properties"]
    _compare(model, keys, said)
    required = mapping.get("required", [])
    yield f"| {title} | value | if not said | says |"
    yield "|---|---|---|---|"
    for key, node in keys.items():
        told = {"says": said[key]} if isinstance(said[key], str) else said[key]
        otherwise = "needed" if key in required else told.get("else") or words.default(node)
        yield f"| `{key}` | {_value(node, told)} | {otherwise} | {told['says']} |"
    yield ""


def _title(model: str) -> str:
    """A model's name as people say it: RevokedSpec is what is revoked."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in model.removesuffix("Spec")).strip()
