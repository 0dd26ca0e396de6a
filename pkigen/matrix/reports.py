"""Reports of the matrix: JSON, JUnit XML, and an HTML page without external resources."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from pkigen.matrix.cases import Subject
from pkigen.matrix.known_differences import Known
from pkigen.matrix.runner import (
    BLIND,
    Cell,
    Column,
    Matrix,
)
from pkigen.matrix.validator import Validator

_PAGE = Path(__file__).with_name("page.html")


def as_json(
    matrix: Matrix, environment: str, clock: datetime | str, missing: Sequence[Validator]
) -> dict[str, Any]:
    """Return the JSON object: ``columns``, ``rows`` with ``cells`` in the same order, and differences."""
    return {
        "environment": environment,
        "clock": str(clock),
        "seconds": round(matrix.seconds, 1),
        "columns": [_column(column) for column in matrix.columns],
        "missing": [{"name": one.name, "comes_with": one.comes_with} for one in missing],
        "rows": [_row(*row) for row in matrix.rows],
        "explained": matrix.explained,
        "unexplained": len(matrix.unexplained),
        "unrecorded": len(matrix.unrecorded),
        "stale": [_entry(one) for one in matrix.stale],
        "gone": [_entry(one) for one in matrix.gone],
    }


def _column(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "version": column.version,
        "recorded": column.recorded or None,
        "looks_at": sorted(column.validator.looks_at),
    }


def _row(subject: Subject, cells: Sequence[Cell]) -> dict[str, Any]:
    fields = ("name", "fault", "family", "category", "expected", "says", "clause")
    return {
        **{field: getattr(subject, field) for field in fields},
        "cells": [
            {
                "word": cell.word,
                "words": cell.words,
                "differs": cell.differs,
                "known": None if cell.known is None else _reason(cell.known),
            }
            for cell in cells
        ],
    }


def _entry(one: Known) -> dict[str, str]:
    return {"fault": one.fault, "column": one.column, **_reason(one)}


def _reason(one: Known) -> dict[str, str]:
    return {"kind": one.kind, "reason": one.reason}


def html(matrix: dict[str, Any]) -> str:
    """Return a self-contained page for the object of ``as_json``."""
    # In a script element, "</script" and "<!--" have a meaning.
    data = json.dumps(matrix, separators=(",", ":")).replace("<", "\\u003c")
    return _PAGE.read_text("utf-8").replace("__DATA__", data, 1)


def junit(matrix: Matrix) -> str:
    """Return a JUnit report: a suite per validator, a test case per case of the environment."""
    root = ET.Element("testsuites", name="pkigen matrix")
    for place, column in enumerate(matrix.columns):
        cells = [(subject, row[place]) for subject, row in matrix.rows]
        failed = sum(cell.is_unexplained for _, cell in cells)
        blind = sum(cell.word == BLIND for _, cell in cells)
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_xml(f"{column.name} ({column.version})"),
            tests=str(len(cells)),
            failures=str(failed),
            skipped=str(blind),
        )
        for subject, cell in cells:
            case = ET.SubElement(suite, "testcase", name=subject.name, classname=column.name)
            if cell.is_unexplained:
                words = f"{subject.expected} is expected, {cell.word} is seen: {cell.words or subject.says}"
                ET.SubElement(case, "failure", message=_xml(words), type=subject.expected)
            elif cell.word == BLIND:
                ET.SubElement(case, "skipped", message="it does not look at what is wrong")
            elif cell.known is not None:
                ET.SubElement(case, "system-out").text = _xml(f"{cell.word}: {cell.known.reason}")
    stale = ET.SubElement(
        root, "testsuite", name="known.yaml", tests=str(len(matrix.stale)), failures=str(len(matrix.stale))
    )
    for one in matrix.stale:
        case = ET.SubElement(stale, "testcase", name=f"{one.fault} {one.column}", classname="known.yaml")
        ET.SubElement(case, "failure", message="differs no longer", type="stale").text = _xml(one.reason)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    """Remove characters that XML 1.0 does not allow."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
