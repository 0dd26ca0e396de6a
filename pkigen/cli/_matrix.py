"""Prints the matrix: a mark for each verdict, then details, within 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pkigen.cli._console import (
    colorize,
    print_json,
    print_line,
    print_message,
    printable,
    wrap,
)

if TYPE_CHECKING:
    from pkigen.matrix import Cell, Column, Matrix, Subject, Validator

_MOST_WITH_WORDS = 20
_NAME = 44
_MARKS = "123456789abcdefghijklmnopqrstuvwxyz"


def print_list(validators: Sequence[Validator], *, as_json: bool) -> None:
    """Print the validators with their versions, or what to install."""
    versions = {one.name: one.version() for one in validators}
    if as_json:
        print_json(
            [
                {
                    "name": one.name,
                    "version": versions[one.name],
                    "looks_at": sorted(one.looks_at),
                    "comes_with": one.comes_with,
                }
                for one in validators
            ]
        )
        return
    width = max(len(one.name) for one in validators)
    for one in validators:
        version = versions[one.name]
        title = colorize(f"{one.name:<{width}}", "green" if version else "grey")
        print_line(f"{title}  {version or 'not installed'}")
        if version is None:
            print_line(wrap(f"{'':<{width}}  install {one.comes_with}", width + 2))
        print_line(wrap(f"{'':<{width}}  checks {', '.join(_capabilities(one))}", width + 2))


def _capabilities(one: Validator) -> list[str]:
    from pkigen.matrix import CAPABILITIES

    return [capability for capability in CAPABILITIES if capability in one.looks_at]


def print_matrix(matrix: Matrix, *, words: bool) -> None:
    """Print the marks of all cases, the details of few cases or unexplained differences, and the counts."""
    for mark, column in zip(_MARKS, matrix.columns, strict=False):
        other = f" (nearest recorded: {column.recorded})" if column.compares_with_another_version else ""
        print_line(f"  {mark}  {column.name:<15} {column.version}{other}")
    print_line("\n  + accepts   x rejects   o rejects for another reason   . does not check it")
    print_line("  on the right: cases with a difference, explained (*) or not (!)")
    with_words = words or len(matrix.rows) <= _MOST_WITH_WORDS
    head = "".join(mark for mark, _ in zip(_MARKS, matrix.columns, strict=False))
    for family, rows in groupby(matrix.rows, lambda row: row[0].family):
        title = f"{family or 'without a fault':<{_NAME + 4}}"
        print_line(f"\n{colorize(title, 'bold')} {head}")
        for subject, cells in rows:
            _print_row(matrix.columns, subject, cells, with_words=with_words)
    print_line()
    _print_counts(matrix)


def _print_row(
    columns: Sequence[Column], subject: Subject, cells: Sequence[Cell], *, with_words: bool
) -> None:
    name = printable(subject.fault or subject.name)
    marks = "".join(map(_mark, cells))
    sign = "!" if any(cell.is_unexplained for cell in cells) else "*" if any(c.known for c in cells) else ""
    line = f"  {name:<{_NAME - 2}} {subject.category:1}  {marks} {sign}".rstrip()
    print_line(colorize(line, "red") if sign == "!" else line)
    for column, cell in zip(columns, cells, strict=True):
        if cell.words and (with_words or cell.is_unexplained):
            print_line(wrap(f"      {column.name}: {cell.words}", 8))
        if cell.is_unexplained:
            print_line(wrap(f"      {column.name}: expected {subject.expected}{_version_note(column)}", 8))
        if cell.known is not None and with_words:
            print_line(wrap(f"      {column.name}: {cell.known.kind}: {cell.known.reason}", 8))


def _version_note(column: Column) -> str:
    """Return a note if no verdicts were recorded with the version of a validator."""
    return "" if column.is_recorded else f"; {column.version} is not a recorded version"


def _mark(cell: Cell) -> str:
    if " " in cell.word:
        return "o"
    return {"accept": "+", "refuse": "x", "blind": "."}[cell.word]


def _print_counts(matrix: Matrix) -> None:
    cases, columns = len(matrix.rows), len(matrix.columns)
    print_line(colorize(f"{cases:,} cases, {columns} validators, {matrix.seconds:.1f} s", "bold"))
    print_line(f"  {matrix.explained:>5,}  differences with a reason in known.yaml")
    print_line(f"  {len(matrix.unexplained):>5,}  differences without a reason")
    if matrix.unrecorded:
        print_line(f"  {len(matrix.unrecorded):>5,}  on an unrecorded version of a validator (not a failure)")
        for subject, column, cell in matrix.unrecorded:
            name = printable(subject.fault or subject.name)
            text = f"{name}: {column.name} {column.version}: {cell.word}, differs on an unrecorded version"
            print_line(wrap(f"         {text}", 11))
    for text in _stale(matrix):
        print_line(wrap(text, 9))


def _stale(matrix: Matrix) -> Iterator[str]:
    yield f"  {len(matrix.stale):>5,}  entries of known.yaml that no longer apply"
    for one in matrix.stale:
        yield f"         {one.fault}, {one.column}: {one.reason}"
    if matrix.gone:
        places = ", ".join(f"{one.fault} ({one.column})" for one in matrix.gone)
        print_message(wrap(f"On unrecorded versions, these entries no longer apply: {places}", 2))
