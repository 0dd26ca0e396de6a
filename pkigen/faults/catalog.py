"""Imports every fault, which registers it: those of pkigen, and those of installed distributions.

The entry points of the group ``pkigen.faults`` name the modules of other distributions.
"""

from __future__ import annotations

from pkigen.faults import enrolment, families
from pkigen.faults.registry import ENROLMENT_FAULTS, FAULTS, arrange
from pkigen.plugins import import_modules, load_entry_points

__all__ = ["ENROLMENT_FAULTS", "FAMILIES", "FAULTS"]

FAMILIES = import_modules(families, families.ORDER)
"""The modules of the families, in the order of the catalog."""

import_modules(enrolment)
for _ in load_entry_points("pkigen.faults"):
    pass
arrange(module.__name__ for module in FAMILIES)
