"""Signatures and their algorithms (RFC 5280, 4.1.1.2, 4.1.1.3 and 6.1.3 (a)(1))."""

from pkigen.faults.families.signature import algorithms, values

__all__ = ["algorithms", "values"]
