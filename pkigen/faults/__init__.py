"""The fault catalog: each fault is one change of a compliant case.

Importing this package imports every module of ``pkigen.faults.families`` and every module that an installed
distribution names as an entry point of the group ``pkigen.faults``; the import registers their faults.
"""

from pkigen.cases.case import Case, Impossible
from pkigen.faults import enrolment, families
from pkigen.faults.compose import composed
from pkigen.faults.registry import ENROLMENT_FAULTS, FAULTS, VERDICTS, FaultType, arrange
from pkigen.faults.request import (
    EnrolmentFaultRequest,
    FaultRequest,
    parse_enrolment_fault,
    parse_fault_list,
    parse_faults,
)
from pkigen.plugins import import_modules, load_entry_points

FAMILIES = import_modules(families, families.ORDER)
"""The modules of the families, in the order of the catalog."""

import_modules(enrolment)

for _ in load_entry_points("pkigen.faults"):
    pass
arrange(module.__name__ for module in FAMILIES)

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
