"""The kind of key that a template sets, and new keys of it."""

from __future__ import annotations

from pkigen.keys import PrivateKey
from pkigen.keys.kinds import KeyKind, parse_kind
from pkigen.keys.sources import FreshKeys
from pkigen.profile.enrolment import Template


def key_kind(template: Template) -> KeyKind:
    """Return the kind of key in a template, or in the defaults of its profile."""
    return parse_kind(str(template.sample()[1].key))


def new_key(template: Template) -> PrivateKey:
    """Return a new key of the template's kind."""
    return FreshKeys().generate(key_kind(template), template.name)
