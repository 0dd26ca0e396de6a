"""Requirement sets: what an appliance demands, as data; and what each kind of demand means.

From a set follow compliant output (the profile is held against it), a checker for certificates of any
maker, and the negative cases, each of which breaks one demand.
"""

from pkigen.requirements.catalogue import CatalogueEntry, catalogue
from pkigen.requirements.demand import Demand, Needs, Violation
from pkigen.requirements.document import Level, Requirement, RequirementSet, Together
from pkigen.requirements.evaluate import Finding, findings
from pkigen.requirements.loader import load_set
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
    "load_set",
]
