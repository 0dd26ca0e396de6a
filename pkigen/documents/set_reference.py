"""References to requirement sets: the set, the role of the certificate, and the values of switches.

As text: ``SET``, ``SET:ROLE``, ``SET:ROLE,SWITCH=on``; as a mapping: ``{set: SET, role: ROLE,
switches: {SWITCH: on}}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pkigen.documents import shipped
from pkigen.documents.fields import Parsed, unknown

ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?")
_SETTINGS = {"on": True, "off": False}
_MOST_SWITCHES = 50


@dataclass(frozen=True, slots=True)
class SetReference:
    """The name or file of a requirement set, with a role and the values of switches.

    ``set`` keeps the location of the text, which defines the base directory of a file.
    """

    set: str
    role: str | None = None
    switches: tuple[tuple[str, bool], ...] = ()

    def __str__(self) -> str:
        """Return the reference as text, which ``parse_reference`` reads."""
        return named(self.set, self.role, self.switches)


def named(name: str, role: str | None, switches: tuple[tuple[str, bool], ...]) -> str:
    """Return the text of a reference."""
    text = f"{name}:{role}" if role else name
    return "".join([text, *(f",{switch}={'on' if value else 'off'}" for switch, value in sorted(switches))])


def parse_reference(value: Any) -> SetReference:
    """Return the reference in a text or a mapping; ValueError if it is invalid or names no shipped set."""
    if isinstance(value, dict):
        return _from_mapping(value)
    if not isinstance(value, str):
        raise ValueError("this must be the name of a requirement set, or {set: NAME, role: ROLE}")
    name, *settings = value.split(",")
    switches = tuple(map(parse_switch, settings))
    name, separator, role = name.rpartition(":")
    if not separator or not ID.fullmatch(role) or len(name) < 2:  # not C:\\set.yaml
        return _checked(value if not settings else value.partition(",")[0], None, switches)
    return _checked(value if name == value else _like(value, name), role, switches)


def _like(text: str, part: str) -> str:
    """Return a part of a text with the location of the text."""
    from pkigen.documents.yaml_tree import Text

    if not isinstance(text, Text):
        return part
    located = Text(part)
    located.location = text.location
    return located


def parse_switch(text: str) -> tuple[str, bool]:
    """Return name and value of ``NAME=on`` or ``NAME=off``."""
    name, _, value = text.strip().partition("=")
    if not ID.fullmatch(name) or value not in _SETTINGS:
        raise ValueError(f"'{text}' is not a switch: write NAME=on or NAME=off")
    return name, _SETTINGS[value]


def _from_mapping(value: dict[str, Any]) -> SetReference:
    if unknown_keys := set(value) - {"set", "role", "switches"}:
        raise ValueError(unknown("key", min(unknown_keys), ("set", "role", "switches")))
    name, role, switches = value.get("set"), value.get("role"), value.get("switches", {})
    if not isinstance(name, str) or not name:
        raise ValueError("'set' is missing: the name of a requirement set, or its .yaml file")
    if role is not None and (not isinstance(role, str) or not ID.fullmatch(role)):
        raise ValueError(f"'{role}' is not the name of a role")
    if not isinstance(switches, dict) or len(switches) > _MOST_SWITCHES:
        raise ValueError("'switches' must be a mapping such as {validation: off}")
    settings = (parse_switch(f"{key}={setting}") for key, setting in switches.items())
    return _checked(name, str(role) if role else None, tuple(settings))


def _checked(name: str, role: str | None, switches: tuple[tuple[str, bool], ...]) -> SetReference:
    known = shipped.requirement_sets()
    if name not in known and not shipped.is_set_file(name):
        raise ValueError(
            f"{unknown('requirement set', name, known)}. A set of your own is a path that ends in .yaml"
        )
    return SetReference(name, role, tuple(sorted(dict(switches).items())))


SetReferenceField = Annotated[
    SetReference, Parsed(parse_reference, "a requirement set: SET, SET:ROLE, or {set, role, switches}", "")
]
