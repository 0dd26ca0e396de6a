"""Extensions as such, key identifiers, certificate transparency, must-staple (RFC 5280, 4.2)."""

from pkigen.faults.families.extensions import general, key_identifiers, transparency

__all__ = ["general", "key_identifiers", "transparency"]
