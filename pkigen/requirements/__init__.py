"""Requirement sets: the conditions that an appliance sets for certificates, as data.

Three features use a set: a build checks the plan against it, ``pkigen check`` checks certificates from any
source, and the negative cases violate one requirement each.
"""

from pkigen.requirements.catalogue import CatalogueEntry, catalogue
from pkigen.requirements.demand import Demand, Needs, Violation
from pkigen.requirements.document import Level, Requirement, RequirementSet, Together
from pkigen.requirements.evaluate import Finding, findings
from pkigen.requirements.loader import load_declared, load_set, switched
from pkigen.requirements.outcome import Outcome, Status
from pkigen.requirements.subject import CheckInput, LookUpCrl, PublishedCrl

__all__ = [
    "CatalogueEntry",
    "CheckInput",
    "Demand",
    "Finding",
    "Level",
    "LookUpCrl",
    "Needs",
    "Outcome",
    "PublishedCrl",
    "Requirement",
    "RequirementSet",
    "Status",
    "Together",
    "Violation",
    "catalogue",
    "findings",
    "load_declared",
    "load_set",
    "switched",
]
