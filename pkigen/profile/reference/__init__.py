"""The reference of the profile language: every key with its values, default, description and example."""

from pkigen.profile.reference.plain_text import plain_text
from pkigen.profile.reference.sections import PARTS, keys, section, sections_of

__all__ = ["PARTS", "keys", "plain_text", "section", "sections_of"]
