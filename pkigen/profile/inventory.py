"""Inventories: a CSV file with one certificate per row."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pkigen.documents import limits
from pkigen.errors import InputError, Location, Problem
from pkigen.files import read_file

if TYPE_CHECKING:
    from _csv import Reader as CsvReader

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OWN_VARIABLES = ("name", "index", "number", "environment", "base_url")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column, and its location."""

    cells: dict[str, str]
    location: Location


def read_table(path: Path) -> tuple[Row, ...]:
    """Return the rows of a CSV file with a header; raise InputError with row and column of each error."""
    file = str(path)
    try:
        data = read_file(path, limits.TABLE_BYTES)
    except ValueError as error:
        raise InputError(str(error)) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(Problem("not UTF-8 text", location=Location(file, line, 1))) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header, file)
        return _rows(reader, header, file)
    except csv.Error as error:
        place = Location(file, max(reader.line_num, 1), 1)
        raise InputError(Problem(f"not CSV: {error}", location=place)) from error


def _check_header(header: list[str], file: str) -> None:
    if len(header) > limits.TABLE_COLUMNS:
        raise InputError(Problem(f"more than {limits.TABLE_COLUMNS} columns", location=Location(file, 1, 1)))
    problems = []
    for column, name in enumerate(header, 1):
        place = Location(file, 1, column)
        if not _COLUMN.fullmatch(name):
            words = f"column {column}: '{name}' cannot be a variable: letters, digits and '_' only"
            problems.append(Problem(words, location=place))
        elif name in header[: column - 1]:
            problems.append(Problem(f"column {column}: the header contains '{name}' twice", location=place))
        elif name in OWN_VARIABLES:
            words = f"column {column}: '{name}' is a variable of every certificate; name the column otherwise"
            problems.append(Problem(words, location=place))
    if not header:
        problems.append(Problem("no header: the first row names the columns", location=Location(file, 1, 1)))
    if problems:
        raise InputError(problems)


def _rows(reader: CsvReader, header: list[str], file: str) -> tuple[Row, ...]:
    rows, problems = list[Row](), list[Problem]()
    for cells in filter(None, reader):
        line = reader.line_num
        if len(rows) + len(problems) >= limits.TABLE_ROWS:
            raise InputError(Problem(f"more than {limits.TABLE_ROWS} rows", location=Location(file, line, 1)))
        if len(cells) != len(header):
            column = min(len(cells), len(header)) + 1
            words = f"row {line} has {len(cells)} cells, and the header {len(header)}"
            problems.append(Problem(words, location=Location(file, line, column)))
            continue
        rows.append(Row(dict(zip(header, cells, strict=True)), Location(file, line, 1)))
    if problems:
        raise InputError(problems)
    return tuple(rows)
