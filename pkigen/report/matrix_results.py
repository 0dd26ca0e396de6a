"""What validators said of cases: the JSON of `pkigen matrix ENV --json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pkigen.errors import InputError
from pkigen.report.status import plain


@dataclass(frozen=True, slots=True)
class ValidatorVerdict:
    """One validator's answer: ``accept``, ``refuse``, ``refuse PART`` or ``blind``, with its own words.

    ``differs``: it is not what is expected, for the reason ``known`` if somebody wrote one down.
    """

    validator: str
    word: str
    words: str
    differs: bool
    known: str


@dataclass(frozen=True, slots=True)
class MatrixResults:
    """All of a matrix: the validators with their versions, and what they said by the name of the case."""

    validators: tuple[tuple[str, str], ...]
    said: Mapping[str, tuple[ValidatorVerdict, ...]]


def read_matrix_results(file: Path) -> MatrixResults:
    """The answers in a file; InputError when it is none that the matrix wrote."""
    try:
        told = json.loads(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not JSON; `pkigen matrix ENV --json` writes what is wanted") from error
    try:
        columns = tuple((plain(str(one["name"])), plain(str(one["version"]))) for one in told["columns"])
        said = {str(row["name"]): tuple(_said(columns, row["cells"])) for row in told["rows"]}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{file} is not what `pkigen matrix ENV --json` writes") from error
    return MatrixResults(columns, said)


def _said(columns: tuple[tuple[str, str], ...], cells: Any) -> Iterator[ValidatorVerdict]:
    for (validator, _), cell in zip(columns, cells, strict=True):
        known = cell.get("known") or {}
        yield ValidatorVerdict(
            validator,
            plain(str(cell["word"])),
            plain(str(cell.get("words") or "")),
            bool(cell.get("differs")),
            plain(str(known.get("reason") or "")),
        )
