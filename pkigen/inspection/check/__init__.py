"""Findings for certificates, keys and chains of any maker, and what an appliance says at upload.

Imports nothing of plan, faults or issue: a mistake made on both sides would hide itself.
"""

from pkigen.inspection.check.annotations import annotate
from pkigen.inspection.check.check import CheckOptions, CheckResult, check
from pkigen.inspection.check.environment import check_environment, sets_of
from pkigen.inspection.check.files import check_files
from pkigen.requirements.evaluate import Verdict, verdict

__all__ = [
    "CheckOptions",
    "CheckResult",
    "Verdict",
    "annotate",
    "check",
    "check_environment",
    "check_files",
    "sets_of",
    "verdict",
]
