"""The keys of a profile, from the JSON Schema and the descriptions in ``profile_words.yaml``.

A key without a description and a description without a key are errors, so that the page has exactly all keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pkigen.formats.output_formats import OUTPUT_FORMATS
from pkigen.profile.reference import words
from pkigen.profile.reference.plain_text import plain_text
from pkigen.profile.schema import json_schema
from pkigen.profile.specifications import AuthoritySpec, CertificateSpec, EntitySpec

WORDS = Path(__file__).with_name("profile_words.yaml")
PARTS = {
    "head": "Top level",
    "entity": "Authorities and certificates",
    "authority": "Authorities",
    "certificate": "Certificates",
}
"""The parts of a profile, and where their keys are."""
_SECTIONS = ("defaults", "authorities", "certificates", "enrolment", "fleets")
_OF_BODIES = ("like", "each")
_PLAIN = ("head", "entity")
"""Parts whose anchors have no prefix; the other two parts share the key ``issuer``."""


def section(name: str) -> str:
    """Return the keys of one part of a profile, with headings; raise ValueError if descriptions differ."""
    known = _parts()
    descriptions = _words()
    if name not in known:
        raise ValueError(f"unknown part of a profile '{name}'; the parts are {', '.join(known)}")
    _compare(name, known[name], descriptions.get(name, {}))
    prefix = "" if name in _PLAIN else f"{name}-"
    printed = dict[str, str]()
    return "\n".join(
        _entry(key, node, descriptions[name][key], _prefix(name, key) or prefix, printed)
        for key, node in known[name].items()
    )


def keys(name: str) -> dict[str, str]:
    """Return the keys of one part of a profile, each with the first sentence of its description."""
    descriptions = _words()[name]
    says = {key: descriptions[key] for key in _parts()[name]}
    texts = {key: one if isinstance(one, str) else one["says"] for key, one in says.items()}
    lines = {key: " ".join(plain_text(text).replace("`", "").split()) for key, text in texts.items()}
    return {key: re.split(r"(?<=[a-z0-9)])[.:] ", line)[0].rstrip(".") for key, line in lines.items()}


def sections_of(key: str) -> dict[str, str]:
    """Return the sections (Markdown) about a key, by the parts that have it; {} for an unknown key."""
    return {
        name: _entry(key, nodes[key], _words()[name][key], "", {})
        for name, nodes in _parts().items()
        if key in nodes
    }


def _prefix(name: str, key: str) -> str:
    """Return the prefix of the anchor of a key that the top level of a profile has as well."""
    return f"{name}-" if name == "entity" and key in _parts()["head"] else ""


@cache
def _parts() -> dict[str, dict[str, Any]]:
    """Return the schema nodes of the keys, by part."""
    schema = json_schema()
    bodies = {
        "authority": (schema["$defs"]["AuthoritySpec"], AuthoritySpec),
        "certificate": (schema["$defs"]["CertificateSpec"], CertificateSpec),
    }
    common = [*(name for name in EntitySpec.model_fields if name != "name"), *_OF_BODIES]
    parts = {"head": dict(schema["properties"])}
    parts["entity"] = {key: bodies["certificate"][0]["properties"][key] for key in common}
    for name, (body, _) in bodies.items():
        parts[name] = {key: node for key, node in body["properties"].items() if key not in common}
    return parts


def _output_formats() -> str:
    """List the registered output formats: name, file and purpose."""
    return "; ".join(f"`{one.name}` ({one.file}): {one.purpose}" for one in OUTPUT_FORMATS.values())


@cache
def _words() -> dict[str, Any]:
    words_by_part: dict[str, Any] = yaml.safe_load(WORDS.read_bytes())
    unused = words_by_part.keys() - _parts().keys() - json_schema()["$defs"].keys()
    if unused:
        raise ValueError(
            f"{WORDS.name} describes {', '.join(sorted(unused))}, which no profile has; remove it"
        )
    return words_by_part


def _compare(name: str, keys: dict[str, Any], descriptions: dict[str, Any]) -> None:
    if missing := [key for key in keys if key not in descriptions]:
        raise ValueError(
            f"{WORDS.name}, {name}: no words for {', '.join(missing)}; add a description of each"
        )
    if surplus := [key for key in descriptions if key not in keys]:
        raise ValueError(
            f"{WORDS.name}, {name}: words for {', '.join(surplus)}, which is not a key; remove them"
        )


def _entry(
    key: str, node: dict[str, Any], description: str | dict[str, str], before: str, printed: dict[str, str]
) -> str:
    """Return a key's section; ``printed`` maps each mapping to the key whose section has its table."""
    details = {"says": description} if isinstance(description, str) else description
    facts = ["a mapping" if key in _SECTIONS else _value(node, details)]
    otherwise = details.get("else") or words.default(node)
    facts += [f"default: {otherwise}"] if otherwise else []
    lines = [f"### `{key}` {{ #{before}{words.anchor(key)} }}", "", " · ".join(facts), "{ .facts }", ""]
    lines += [details["says"].strip().replace("{output_formats}", _output_formats()), ""]
    models = () if key in _SECTIONS else tuple(dict.fromkeys(_models(node)))
    for model in models:
        if printed.setdefault(model, key) == key:
            lines += _table(model, "key" if model == models[0] else f"key of {_title(model)}")
        else:
            place = f"[`{printed[model]}`](#{before}{words.anchor(printed[model])})"
            lines += [f"As a mapping, it has the keys of {place}.", ""]
            break
    if "example" in details:
        lines += ["```yaml", details["example"].rstrip(), "```", ""]
    return "\n".join(lines)


def _value(node: dict[str, Any], details: dict[str, str]) -> str:
    """Return the possible values of a key, without ``null``."""
    if "value" in details:
        return details["value"]
    choices = [choice for choice in node.get("anyOf", [node]) if choice.get("type") != "null"]
    return words.value({"anyOf": choices}, json_schema()["$defs"])


def _models(node: Any) -> Iterator[str]:
    """Yield the names of the mappings that a key can contain; inner ones after the outer ones."""
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
    mapping, descriptions = _mapping(model), _words().get(model, {})
    keys = mapping["properties"]
    _compare(model, keys, descriptions)
    required = mapping.get("required", [])
    yield f"| {title} | value | default | description |"
    yield "|---|---|---|---|"
    for key, node in keys.items():
        details = {"says": descriptions[key]} if isinstance(descriptions[key], str) else descriptions[key]
        otherwise = "required" if key in required else details.get("else") or words.default(node)
        yield f"| `{key}` | {_value(node, details)} | {otherwise} | {details['says']} |"
    yield ""


def _title(model: str) -> str:
    """Return a model's name in words: ``RevokedSpec`` is ``revoked``."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in model.removesuffix("Spec")).strip()
