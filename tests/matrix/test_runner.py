"""Verdicts compared with the expected ones: differences, reasons, stale reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from pkigen.matrix import (
    Capability,
    Column,
    Known,
    MatrixCase,
    Subject,
    survey,
)
from pkigen.matrix.validator import Answer, PartVerdict, answer


@dataclass
class Puppet:
    """Returns predefined answers by case name, and records the requested cases."""

    answer: dict[str, Answer]
    looks_at: frozenset[Capability] = frozenset(("path", "file", "host", "crl"))
    name: str = "puppet"
    comes_with: str = "nothing"
    requested: list[str] = field(default_factory=list)

    def version(self) -> str | None:
        return "puppet 1"

    def judge(self, cases: Sequence[MatrixCase]) -> dict[str, Answer]:
        self.requested += [case.name for case in cases]
        return {case.name: self.answer[case.name] for case in cases}


ACCEPTS = answer({"path": PartVerdict(True), "crl": PartVerdict(True)})
REFUSES = answer({"path": PartVerdict(False, "no")})
REFUSES_CRL = answer({"path": PartVerdict(True), "crl": PartVerdict(False, "no")})


def _subject(
    cases: dict[str, MatrixCase], expected: str, spoils: str = "path", fault: str = "wrong"
) -> Subject:
    case = replace(cases["sound"], name=f"{fault}.{expected}")
    return Subject(case, expected, spoils, fault)  # type: ignore[arg-type]  # words of the test's own tables


@pytest.mark.parametrize(
    ("expected", "spoils", "answer", "word", "differs"),
    [
        ("reject", "path", REFUSES, "refuse", False),
        ("reject", "path", ACCEPTS, "accept", True),
        ("reject", "path", REFUSES_CRL, "refuse crl", True),
        ("reject", "host", REFUSES, "refuse", False),
        ("reject", "fetching", ACCEPTS, "blind", False),
        ("reject", "", ACCEPTS, "blind", False),
        ("reject", "", REFUSES, "refuse path", True),
        ("reject", "key", REFUSES, "refuse path", True),
        ("accept", "path", ACCEPTS, "accept", False),
        ("accept", "path", REFUSES, "refuse", True),
        ("accept", "path", Answer(False, "crashes: SIGSEGV"), "refuse", True),
        ("varies", "path", REFUSES_CRL, "refuse crl", False),
    ],
)
def test_a_verdict_equals_the_expected_one_or_differs(
    cases: dict[str, MatrixCase], expected: str, spoils: str, answer: Answer, word: str, differs: bool
) -> None:
    subject = _subject(cases, expected, spoils)
    matrix = survey([subject], [Column(Puppet({subject.name: answer}), "puppet 1")], [])
    ((_, (cell,)),) = matrix.rows
    assert (cell.word, cell.differs, cell.words) == (word, differs, answer.words)
    assert matrix.is_as_expected is not differs


def test_a_validator_without_host_names_is_blind_to_a_mismatch(cases: dict[str, MatrixCase]) -> None:
    subject = _subject(cases, "reject", "host")
    puppet = Puppet({subject.name: ACCEPTS}, frozenset(("path",)))
    ((_, (cell,)),) = survey([subject], [Column(puppet, "puppet 1")], []).rows
    assert (cell.word, cell.differs) == ("blind", False)


def _entry(**fields: object) -> Known:
    expected: dict[str, object] = {
        "fault": "wrong",
        "column": "puppet",
        "kind": "choice",
        "reason": "So.",
        **fields,
    }
    return Known(**expected)  # type: ignore[arg-type]  # fields of the tests below


def _surveyed(
    cases: dict[str, MatrixCase],
    answer: Answer,
    entry: Known,
    recorded: str = "puppet 1",
    complete: bool = True,
) -> object:
    subject = _subject(cases, "reject")
    matrix = survey(
        [subject], [Column(Puppet({subject.name: answer}), "puppet 1", recorded)], [entry], complete=complete
    )
    return len(matrix.unexplained), matrix.explained, len(matrix.stale), len(matrix.gone)


@pytest.mark.parametrize(
    ("entry", "explained"),
    [
        (_entry(), True),
        (_entry(fault="other"), False),
        (_entry(column="other"), False),
        (_entry(versions="puppet *"), True),
        (_entry(versions="puppet 2*"), False),
        (_entry(fault="*", words="path: n?"), True),
        (_entry(fault="*", words="path: yes"), False),
        (_entry(fault="other", words="*"), False),
    ],
)
def test_a_difference_has_its_recorded_reason(
    cases: dict[str, MatrixCase], entry: Known, explained: bool
) -> None:
    subject = _subject(cases, "accept")
    column = Column(Puppet({subject.name: REFUSES}), "puppet 1")
    matrix = survey([subject], [column], [entry])
    assert (matrix.explained, len(matrix.unexplained)) == ((1, 0) if explained else (0, 1))


def test_a_reason_without_a_difference_is_stale_with_the_version_that_was_recorded(
    cases: dict[str, MatrixCase],
) -> None:
    assert _surveyed(cases, ACCEPTS, _entry()) == (0, 1, 0, 0)
    assert _surveyed(cases, REFUSES, _entry()) == (0, 0, 1, 0)
    assert _surveyed(cases, REFUSES, _entry(), "puppet 0") == (0, 0, 0, 1)
    assert _surveyed(cases, REFUSES, _entry(), complete=False) == (0, 0, 0, 0)
    assert _surveyed(cases, REFUSES, _entry(fault="elsewhere")) == (0, 0, 0, 0)
    assert _surveyed(cases, REFUSES, _entry(sometimes=True)) == (0, 0, 0, 0)
    assert _surveyed(cases, REFUSES, _entry(versions="puppet 2")) == (0, 0, 0, 0)


def test_online_validators_get_cases_that_are_visible_over_tls(
    cases: dict[str, MatrixCase],
) -> None:
    served = {name: replace(case, proxy="127.0.0.1:1") for name, case in cases.items()}
    sound = _subject(served, "accept", fault="")
    fetched, path = _subject(served, "reject", "fetching", "late"), _subject(served, "reject")
    unserved = _subject(cases, "reject", "fetching", "unserved")
    puppet = Puppet({one.name: ACCEPTS for one in (sound, fetched)}, frozenset(("crl", "fetching")))
    matrix = survey([sound, fetched, path, unserved], [Column(puppet, "puppet 1")], [])
    assert puppet.requested == [sound.name, fetched.name]
    assert [cell.word for _, (cell,) in matrix.rows] == ["blind", "accept", "blind", "blind"]


def test_browsers_get_cases_of_a_tls_endpoint_with_faults_that_they_can_see(
    cases: dict[str, MatrixCase],
) -> None:
    presented = {name: replace(case, proxy="127.0.0.1:1", tls="127.0.0.1:2") for name, case in cases.items()}
    handshake, path = _subject(presented, "reject", "tls"), _subject(presented, "reject", fault="late")
    key = _subject(presented, "reject", "key", "other")
    unserved = _subject(cases, "reject", "tls", "unserved")
    puppet = Puppet({one.name: REFUSES for one in (handshake, path)}, frozenset(("path", "host", "tls")))
    survey([handshake, path, key, unserved], [Column(puppet, "puppet 1")], [])
    assert puppet.requested == [handshake.name, path.name]


def test_validators_that_read_no_files_get_no_file_faults(cases: dict[str, MatrixCase]) -> None:
    puppet = Puppet({}, frozenset(("path",)))
    survey([_subject(cases, "reject", "file")], [Column(puppet, "puppet 1")], [])
    assert puppet.requested == []


@pytest.mark.parametrize("fault", ["wrong", ""])
def test_a_difference_on_an_unrecorded_version_fails_only_where_a_sound_certificate_is_rejected(
    cases: dict[str, MatrixCase], fault: str
) -> None:
    subject = _subject(cases, "accept", "path" if fault else "", fault)
    puppet = Puppet({subject.name: REFUSES})
    matrix = survey([subject], [Column(puppet, "puppet 2", "puppet 1")], [])
    assert (len(matrix.unrecorded), len(matrix.unexplained)) == ((1, 0) if fault else (0, 1))
    assert matrix.is_as_expected is bool(fault)


def test_a_reason_for_the_nearest_recorded_version_explains_a_difference_on_another(
    cases: dict[str, MatrixCase],
) -> None:
    subject = _subject(cases, "reject")
    column = Column(Puppet({subject.name: ACCEPTS}), "puppet 2", "puppet 1")
    matrix = survey([subject], [column], [_entry(versions="puppet 1")])
    assert (matrix.explained, len(matrix.unrecorded)) == (1, 0)
