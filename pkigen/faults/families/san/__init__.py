"""Subject alternative names (RFC 5280, 4.2.1.6; RFC 9525)."""

from pkigen.faults.families.san import alternative_names, identities

__all__ = ["alternative_names", "identities"]
