"""Name constraints (RFC 5280, 4.2.1.10), and the names below them."""

from pkigen.faults.families.name_constraints import asterisks, combined, coverage, name_types, subtrees

__all__ = ["asterisks", "combined", "coverage", "name_types", "subtrees"]
