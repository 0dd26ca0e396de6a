"""Checks certificates, keys, chains and CRLs against requirement sets, as an appliance does at upload.

Imports nothing of plan, faults or issue, so that the code that issues cannot hide its own errors.
"""

from pkigen.inspection.check.annotations import annotate
from pkigen.inspection.check.check import CheckOptions, CheckResult, check
from pkigen.inspection.check.environment import check_environment, sets_of
from pkigen.inspection.check.files import check_files, files_in
from pkigen.inspection.check.pem_form import unusable_parts
from pkigen.requirements.evaluate import Verdict, verdict

__all__ = [
    "CheckOptions",
    "CheckResult",
    "Verdict",
    "annotate",
    "check",
    "check_environment",
    "check_files",
    "files_in",
    "sets_of",
    "unusable_parts",
    "verdict",
]
