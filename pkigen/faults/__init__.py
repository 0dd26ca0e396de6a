"""Faults: ways to be wrong, each one change of a compliant case."""

from pkigen.cases.case import Case, Impossible
from pkigen.faults.compose import composed
from pkigen.faults.families import (
    access,
    chain,
    constraints,
    crl,
    encoding,
    extensions,
    key,
    key_files,
    name_constraints,
    names,
    ocsp,
    policies,
    san,
    signature,
    transport,
    usages,
    validity,
    versions,
)
from pkigen.faults.registry import FAULTS, VERDICTS, FaultType, arrange
from pkigen.faults.request import AskedFault, asked_for, asked_for_all

FAMILIES = (
    encoding,
    versions,
    signature,
    key,
    validity,
    names,
    san,
    extensions,
    constraints,
    usages,
    name_constraints,
    policies,
    access,
    chain,
    crl,
    ocsp,
    key_files,
    transport,
)
"""The modules of faults, in the order of the catalogue; importing them makes their faults known."""

arrange(module.__name__ for module in FAMILIES)

__all__ = [
    "FAMILIES",
    "FAULTS",
    "VERDICTS",
    "AskedFault",
    "Case",
    "FaultType",
    "Impossible",
    "asked_for",
    "asked_for_all",
    "composed",
]
