"""Runs all validators on all cases and compares their verdicts with the expected ones."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pkigen.matrix.cases import Subject
from pkigen.matrix.known_differences import PARTIAL_CHAIN, REQUIREMENT, SOUND, Known
from pkigen.matrix.validator import (
    CAPABILITIES,
    PARTS,
    Answer,
    MatrixCase,
    Validator,
)

ACCEPT, REFUSE, BLIND = "accept", "refuse", "blind"
_BY_SERVER = frozenset(("fetching", "ocsp", "tls"))


@dataclass(frozen=True)
class Column:
    """A validator that was asked: ``version`` answered here, ``recorded`` when the record was made."""

    validator: Validator
    version: str
    recorded: str = ""

    @property
    def name(self) -> str:
        """Title of the column."""
        return self.validator.name

    @property
    def asks_a_server(self) -> bool:
        """Whether the validator fetches CRLs or OCSP responses, or connects to a TLS endpoint."""
        return bool(self.validator.looks_at & _BY_SERVER)

    @property
    def is_recorded(self) -> bool:
        """Whether the version here is the one that the record was made with."""
        return self.version == self.recorded

    @property
    def compares_with_another_version(self) -> bool:
        """Whether another version of this validator is recorded; its record is the nearest one."""
        return bool(self.recorded) and not self.is_recorded

    def explains(self, entry: Known) -> bool:
        """Return whether an entry is about this validator, in this version or in the nearest recorded one."""
        nearest = self.compares_with_another_version and entry.is_of(self.recorded)
        return entry.column == self.name and (nearest or entry.is_of(self.version))


@dataclass(frozen=True)
class Cell:
    """The verdict of one validator on one case.

    ``word`` is ``accept``; ``refuse``; ``refuse PART``, if it accepts the part with the fault and rejects
    another; or ``blind``, if it accepts all that it checks and does not check the part with the fault.
    ``words`` is its message. ``differs`` means an unexpected verdict, and ``known`` is the reason.
    ``unrecorded`` is True where no verdict of this version of the validator is recorded, so that a difference
    needs no reason; a certificate without a fault that is rejected needs one all the same.
    """

    word: str
    words: str = ""
    differs: bool = False
    known: Known | None = None
    unrecorded: bool = False

    @property
    def is_unexplained(self) -> bool:
        """Whether the verdict differs without a reason."""
        return self.differs and self.known is None and not self.unrecorded

    @property
    def differs_on_unrecorded_version(self) -> bool:
        """Whether it differs without a reason on a version of the validator that is not recorded."""
        return self.differs and self.known is None and self.unrecorded


@dataclass(frozen=True)
class Matrix:
    """Rows of cells in the order of ``columns``, the ``stale`` entries of known.yaml, and the time taken.

    An entry is stale when its case was judged and did not differ, by the version that was recorded.
    ``gone`` are those that another version no longer bears out.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Subject, tuple[Cell, ...]], ...]
    stale: tuple[Known, ...]
    gone: tuple[Known, ...]
    seconds: float

    @property
    def unexplained(self) -> tuple[tuple[Subject, Column, Cell], ...]:
        """Differences without a reason."""
        return tuple(
            (subject, column, cell)
            for subject, cells in self.rows
            for column, cell in zip(self.columns, cells, strict=True)
            if cell.is_unexplained
        )

    @property
    def unrecorded(self) -> tuple[tuple[Subject, Column, Cell], ...]:
        """Every difference without an entry on a version that is not recorded; none of them is a failure."""
        return tuple(
            (subject, column, cell)
            for subject, cells in self.rows
            for column, cell in zip(self.columns, cells, strict=True)
            if cell.differs_on_unrecorded_version
        )

    @property
    def explained(self) -> int:
        """The number of differences with a reason."""
        return sum(cell.known is not None for _, cells in self.rows for cell in cells)

    @property
    def is_as_expected(self) -> bool:
        """Whether there is neither a difference without a reason nor a stale entry."""
        return not self.unexplained and not self.stale


def survey(
    subjects: Sequence[Subject],
    columns: Sequence[Column],
    known: Iterable[Known],
    done: Callable[[Column, int], None] = lambda column, cases: None,
    *,
    complete: bool = True,
) -> Matrix:
    """Run all columns concurrently; ``done`` is called for each finished one, in its thread.

    ``complete`` means that these are the cases of known.yaml, so that its entries can be stale. Raises
    EnvironmentFailure if a program of a column cannot be compiled.
    """
    begun = time.monotonic()

    def ask(column: Column) -> Mapping[str, Answer]:
        given = [one.case for one in subjects if _is_asked(column.validator, one)]
        answers = column.validator.judge(given) if given else {}
        done(column, len(subjects))
        return answers

    waiting = sum(column.asks_a_server for column in columns)
    with ThreadPoolExecutor((os.cpu_count() or 2) + waiting) as threads:
        answers = list(threads.map(ask, columns))
    entries = [entry for column in columns for entry in known if column.explains(entry)]
    rows = tuple(
        (one, tuple(_cell(one, *pair, entries) for pair in zip(columns, answers, strict=True)))
        for one in subjects
    )
    unmet = _unmet(columns, rows, entries) if complete else []
    recorded = {column.name for column in columns if column.is_recorded}
    return Matrix(
        tuple(columns),
        rows,
        tuple(one for one in unmet if one.column in recorded),
        tuple(one for one in unmet if one.column not in recorded),
        time.monotonic() - begun,
    )


def _is_asked(validator: Validator, subject: Subject) -> bool:
    """Whether a column evaluates a case.

    Columns that need servers skip faults of parts that they do not check, and columns that do not read the
    files skip faults of file formats.
    """
    if subject.spoils == "file" and "file" not in validator.looks_at:
        return False
    if not validator.looks_at & _BY_SERVER:
        return True
    return _can_fetch(validator, subject.case) and (subject.spoils in validator.looks_at or not subject.fault)


def _can_fetch(validator: Validator, case: MatrixCase) -> bool:
    if case.proxy is None or ("ocsp" in validator.looks_at and case.ocsp is None):
        return False
    return "tls" not in validator.looks_at or case.tls is not None


def _cell(
    subject: Subject,
    column: Column,
    answers: Mapping[str, Answer],
    entries: Iterable[Known],
) -> Cell:
    answer = answers.get(subject.name)
    if answer is None:
        return Cell(BLIND)
    if not subject.revocation:
        answer = _without_crl(answer)
    word = _word(subject, column.validator, answer)
    expected = {"accept": (ACCEPT, BLIND), "reject": (REFUSE, BLIND)}.get(subject.expected, (word,))
    if word in expected:
        return Cell(word, answer.words)
    reasons = (one for one in entries if one.column == column.name)
    names = [subject.fault or SOUND, *([PARTIAL_CHAIN] if subject.case.partial_chain else ())]
    # The fault of a case of x509-limbo itself is its own name.
    if subject.fault and not subject.category and subject.fault != subject.name:
        names.append(REQUIREMENT)
    reason = next((one for one in reasons if one.tells(names, answer.words)), None)
    rejects_sound = not subject.fault and word != ACCEPT
    return Cell(
        word,
        answer.words,
        True,
        reason,
        unrecorded=column.compares_with_another_version and not rejects_sound,
    )


def _without_crl(answer: Answer) -> Answer:
    """Remove the rejection of a case only for missing CRLs."""
    refused = [part for part, accepted in answer.parts.items() if accepted is False]
    return Answer(True, "", {**answer.parts, "crl": None}) if refused == ["crl"] else answer


def _word(subject: Subject, validator: Validator, answer: Answer) -> str:
    spoiled = subject.spoils
    if answer.accepted:
        # Some validators evaluate no path without a host name.
        is_checked = spoiled not in ("path", "host") or answer.parts.get("path") is not None
        return ACCEPT if spoiled in validator.looks_at and is_checked else BLIND
    refused = [part for part in PARTS if answer.parts.get(part) is False]
    if not refused or (spoiled and CAPABILITIES[spoiled] in refused):
        return REFUSE
    return " ".join((REFUSE, *refused))


def _unmet(
    columns: Sequence[Column],
    rows: Sequence[tuple[Subject, tuple[Cell, ...]]],
    entries: Iterable[Known],
) -> list[Known]:
    """Return the entries without a difference in their evaluated cases, except those of chance."""
    judged, met = set(), set()
    for subject, cells in rows:
        for column, cell in zip(columns, cells, strict=True):
            place = (subject.fault or SOUND, column.name)
            judged.add(place)
            if cell.differs:
                met.add(place)
    unmet = judged - met
    return [one for one in entries if (one.fault, one.column) in unmet and not one.sometimes]
