"""The validators' verdicts on the cases, from the JSON output of `pkigen matrix ENV --json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pkigen.errors import InputError
from pkigen.os_errors import os_error_reason
from pkigen.report.status import plain
from pkigen.strict_json import parse_json


@dataclass(frozen=True, slots=True)
class ValidatorVerdict:
    """A validator's verdict: ``accept``, ``refuse``, ``refuse PART`` or ``blind``, and its message.

    ``differs``: the verdict is not the expected one; ``known`` is the documented reason, or empty.
    """

    validator: str
    word: str
    words: str
    differs: bool
    known: str


@dataclass(frozen=True, slots=True)
class MatrixResults:
    """The validators with their versions, and the verdicts by case name."""

    validators: tuple[tuple[str, str], ...]
    verdicts: Mapping[str, tuple[ValidatorVerdict, ...]]


def read_matrix_results(file: Path) -> MatrixResults:
    """Read the results from a file; raise InputError if it is not an output of `pkigen matrix`."""
    try:
        document = parse_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {file}: {os_error_reason(error)}") from error
    except ValueError as error:
        raise InputError(f"{file} is not JSON; use the output of `pkigen matrix ENV --json`") from error
    try:
        columns = tuple((plain(str(one["name"])), plain(str(one["version"]))) for one in document["columns"])
        verdicts = {str(row["name"]): tuple(_verdicts(columns, row["cells"])) for row in document["rows"]}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{file} is not an output of `pkigen matrix ENV --json`") from error
    return MatrixResults(columns, verdicts)


def _verdicts(columns: tuple[tuple[str, str], ...], cells: Any) -> Iterator[ValidatorVerdict]:
    for (validator, _), cell in zip(columns, cells, strict=True):
        known = cell.get("known") or {}
        yield ValidatorVerdict(
            validator,
            plain(str(cell["word"])),
            plain(str(cell.get("words") or "")),
            bool(cell.get("differs")),
            plain(str(known.get("reason") or "")),
        )
