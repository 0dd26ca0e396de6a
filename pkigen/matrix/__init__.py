"""The matrix: compares the verdicts of independent validators on the cases of an environment.

Importing this package imports every module of ``pkigen.matrix.validators`` and every module that an
installed distribution names as an entry point of the group ``pkigen.validators``; the import registers their
validators.
"""

from pkigen.matrix import reports, validators
from pkigen.matrix.cases import Subject, cases_of, subjects_of
from pkigen.matrix.known_differences import Known, known_differences, known_limbo_differences
from pkigen.matrix.limbo import subjects_of_limbo
from pkigen.matrix.registry import register, registered
from pkigen.matrix.runner import Cell, Column, Matrix, survey
from pkigen.matrix.validator import CAPABILITIES, PARTS, Answer, Capability, MatrixCase, Part, Validator
from pkigen.plugins import import_modules, load_entry_points

import_modules(validators)
for _ in load_entry_points("pkigen.validators"):
    pass

VALIDATORS = registered(validators.ORDER)
"""The columns in their order."""

__all__ = [
    "CAPABILITIES",
    "PARTS",
    "VALIDATORS",
    "Answer",
    "Capability",
    "Cell",
    "Column",
    "Known",
    "Matrix",
    "MatrixCase",
    "Part",
    "Subject",
    "Validator",
    "cases_of",
    "known_differences",
    "known_limbo_differences",
    "register",
    "reports",
    "subjects_of",
    "subjects_of_limbo",
    "survey",
]
