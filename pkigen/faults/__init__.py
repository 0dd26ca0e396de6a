"""Faults: ways to be wrong, each one change of a compliant case."""

from pkigen.faults import constraints, extensions, names, san, usages, validity, versions
from pkigen.faults.case import Case, Impossible
from pkigen.faults.registry import FAULTS, VERDICTS, FaultType, matching

FAMILIES = (versions, validity, names, san, extensions, constraints, usages)
"""The modules of faults, in the order of the catalogue; importing them makes their faults known."""

__all__ = ["FAMILIES", "FAULTS", "VERDICTS", "Case", "FaultType", "Impossible", "matching"]
