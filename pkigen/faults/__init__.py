"""Faults: ways to be wrong, each one change of a compliant case."""

from pkigen.faults import validity
from pkigen.faults.case import Case, Impossible
from pkigen.faults.registry import FAULTS, VERDICTS, FaultType, matching

FAMILIES = (validity,)
"""The modules of faults, in the order of the catalogue; importing them makes their faults known."""

__all__ = ["FAMILIES", "FAULTS", "VERDICTS", "Case", "FaultType", "Impossible", "matching"]
