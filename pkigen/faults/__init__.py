"""Faults: ways to be wrong, each one change of a compliant case."""

from pkigen.faults.case import Case, Impossible

__all__ = ["Case", "Impossible"]
