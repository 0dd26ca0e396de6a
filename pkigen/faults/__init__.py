"""The fault catalog: each fault is one change of a compliant case.

The first use of the catalog imports the modules of all faults (see ``pkigen.faults.catalog``): a profile
without faults needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from pkigen.cases.case import Case, Impossible
from pkigen.faults.compose import composed
from pkigen.faults.registry import VERDICTS, FaultType
from pkigen.faults.request import (
    EnrolmentFaultRequest,
    FaultRequest,
    parse_enrolment_fault,
    parse_fault_list,
    parse_faults,
)

if TYPE_CHECKING:
    from pkigen.faults.catalog import ENROLMENT_FAULTS, FAMILIES, FAULTS

__all__ = [
    "ENROLMENT_FAULTS",
    "FAMILIES",
    "FAULTS",
    "VERDICTS",
    "Case",
    "EnrolmentFaultRequest",
    "FaultRequest",
    "FaultType",
    "Impossible",
    "composed",
    "parse_enrolment_fault",
    "parse_fault_list",
    "parse_faults",
]


def __getattr__(name: str) -> object:
    """Import the catalog on first use of ENROLMENT_FAULTS, FAMILIES or FAULTS."""
    if name in __all__:
        return getattr(import_module("pkigen.faults.catalog"), name)
    raise AttributeError(f"module 'pkigen.faults' has no attribute '{name}'")
