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
_HEADING = re.compile(r"\w[\w .,/()#&%+?'-]*")
"""A name of a column as people write them; the first line of many other files contains other characters."""
_DELIMITERS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?\r?\n", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
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
    text = _text(data, file)
    declared = _SEPARATOR_LINE.match(text)
    delimiter = declared[1] if declared else _delimiter(text)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True
    )
    try:
        if declared:
            next(reader)
        header = _without_blank_end(next(reader, [])[: limits.TABLE_COLUMNS + 1])
        _check_header(header, file)
        return _rows(reader, header, file)
    except csv.Error as error:
        place = Location(file, max(reader.line_num, 1), 1)
        raise InputError(Problem(f"not CSV: {error}", location=place)) from error


def _text(data: bytes, file: str) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 (Excel's "Unicode Text")."""
    codec = "utf-16" if data[:2] in _UTF_16_MARKS else "utf-8-sig"
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = "not UTF-8 text; in Excel, save it as 'CSV UTF-8 (Comma delimited)'"
        raise InputError(Problem(message, location=Location(file, line, 1))) from error


def _delimiter(text: str) -> str:
    """Return the delimiter of the header: comma, semicolon or tab."""
    header = _QUOTED.sub("", text.split("\n", 1)[0])
    return max(_DELIMITERS, key=header.count)


def _without_blank_end(cells: list[str]) -> list[str]:
    """Return the cells without blank ones at the end, which spreadsheets write for empty columns."""
    cells = [cell.strip() for cell in cells]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _variable(column: str) -> str:
    """Return the variable of a column; other characters than letters, digits and '_' become '_'."""
    return column if _COLUMN.fullmatch(column) else re.sub(r"\W+", "_", column).strip("_")


def _check_header(header: list[str], file: str) -> None:
    if len(header) > limits.TABLE_COLUMNS:
        raise InputError(Problem(f"more than {limits.TABLE_COLUMNS} columns", location=Location(file, 1, 1)))
    problems = []
    if (other := next((name for name in header if name and not _HEADING.fullmatch(name)), None)) is not None:
        # The message must not quote the line: a profile can name any file, also one with secrets.
        place = Location(file, 1, header.index(other) + 1)
        raise InputError(
            Problem(
                "not a table: its first row does not name columns (separated by commas, semicolons or tabs)",
                location=place,
            )
        )
    for column, name in enumerate(header, 1):
        place = Location(file, 1, column)
        if not _COLUMN.fullmatch(_variable(name)):
            words = f"column {column}: '{name}' cannot be a variable: letters, digits and '_' only"
            problems.append(Problem(words, location=place))
        elif _variable(name) in map(_variable, header[: column - 1]):
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
    variables = [_variable(name) for name in header]
    for raw in reader:
        line, cells = reader.line_num, [cell.strip() for cell in raw]
        if not any(cells):
            continue
        cells = [*cells[: len(header)], *_without_blank_end(cells[len(header) :])]
        if len(rows) + len(problems) >= limits.TABLE_ROWS:
            raise InputError(Problem(f"more than {limits.TABLE_ROWS} rows", location=Location(file, line, 1)))
        if len(cells) != len(header):
            column = min(len(cells), len(header)) + 1
            words = f"row {line} has {len(cells)} cells, and the header {len(header)}"
            problems.append(Problem(words, location=Location(file, line, column)))
            continue
        values = dict(zip(variables, cells, strict=True))
        # "Host Name" is available as Host_Name and as host_name.
        lower = {new.lower(): values[new] for old, new in zip(header, variables, strict=True) if old != new}
        rows.append(Row({**lower, **values}, Location(file, line, 1)))
    if problems:
        raise InputError(problems)
    return tuple(rows)
