"""The catalog checked with independent validators: every verdict equals the recorded one."""

from __future__ import annotations

from collections import Counter

import pytest

from pkigen.faults import FAULTS
from pkigen.faults.observed import Record, observations, recorded_verdicts, recorded_version, records
from pkigen.matrix import VALIDATORS, Matrix, known_differences
from pkigen.matrix.known_differences import PARTIAL_CHAIN, REQUIREMENT, SOUND
from pkigen.requirements.catalogue import catalogue
from pkigen.requirements.library import every_set
from tests.faults.matrix_page import PAGE, differs, page
from tests.faults.outsiders import UNKNOWN, merged, seen, surveyed, timeouts
from tests.faults.record import with_figures
from tests.matrix.tools import ALL, OPTIONAL, TOOLS
from tests.tools import ROOT

COLUMNS = [validator.name for validator in VALIDATORS]
INSTALL = {validator.name: validator.comes_with for validator in VALIDATORS}
RECORD = "python -m tests.faults.record"
needs_all = pytest.mark.needs(*sorted({tool for tools in TOOLS.values() for tool in tools}))
KINDS = {"choice", "limit", "bug"}
_TOO_FEW = 4
"""Verdicts of two validators on two systems."""
UNSEEN = {"crl-der-file", "p12-mac-iterations"}
"""Faults that no column is given."""


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Matrix:
    """Every fault put to every validator, once; to browsers, which take a minute, by `make validators`."""
    matrix, _ = surveyed(tmp_path_factory.mktemp("whole"), browsers=ALL)
    return matrix


@needs_all
@pytest.mark.parametrize("name", COLUMNS)
def test_a_validator_has_the_recorded_verdict_for_every_fault(whole: Matrix, name: str) -> None:
    column = next((column for column in whole.columns if column.name == name), None)
    if column is None and name in OPTIONAL:
        pytest.skip(f"needs {INSTALL[name]}; make validators installs it")
    assert column is not None, f"install {INSTALL[name]}, and add it to TEST_TOOLS of the Makefile"
    if not column.is_recorded:
        pytest.skip(f"recorded with {column.recorded}, here is {column.version}")
    verdicts = recorded_verdicts(name, column.version)
    by_chance = {(one.fault, one.column) for one in known_differences() if one.sometimes}
    by_chance |= {(subject.fault, timed_out.name) for subject, timed_out, _ in timeouts(whole)}
    changed = {
        fault: f"{verdicts.get(fault, 'nothing')} is recorded, {row[name]} is seen"
        for fault, row in seen(whole).items()
        if verdicts.get(fault) not in (row[name], UNKNOWN) and (fault, name) not in by_chance
    }
    assert not changed, "if this is right: python -m tests.faults.record"


@needs_all
def test_every_unexpected_verdict_has_a_reason(whole: Matrix) -> None:
    unexplained = [
        (subject.name, column.name, cell.word, cell.words)
        for subject, column, cell in whole.unexplained
        if (subject, column, cell) not in timeouts(whole)
    ]
    assert unexplained == []


@needs_all
def test_a_reason_without_a_difference_is_removed(whole: Matrix) -> None:
    assert [(one.fault, one.column) for one in whole.stale] == []


def test_a_reason_is_one_sentence_and_unique() -> None:
    given = known_differences()
    places = Counter((one.fault, one.column, one.versions, one.words) for one in given)
    assert [place for place, times in places.items() if times > 1] == []
    assert {one.column for one in given} <= set(COLUMNS)
    assert {one.kind for one in given} <= KINDS
    violations = {entry.id for entry in catalogue(every_set())}
    named = {*FAULTS, *violations, SOUND, PARTIAL_CHAIN, REQUIREMENT}
    assert {one.fault for one in given if "*" not in one.fault} <= named
    for one in given:
        assert one.reason.endswith("."), one
        assert "\n" not in one.reason, one


def test_every_visible_fault_has_a_recorded_row() -> None:
    rows = observations()
    visible = {fault.id for fault in FAULTS.values() if fault.stage != "transport"} - UNSEEN
    new, removed = sorted(visible - rows.keys()), sorted(rows.keys() - FAULTS.keys())
    assert not new, f"not recorded yet; run: python -m tests.faults.record --only {' '.join(new)}"
    assert not removed, f"recorded, but no faults of the catalog: {removed}; run: {RECORD}"
    columns = [[*records()[0].versions], *map(list, rows.values())]
    assert all(names == COLUMNS for names in columns), (
        f"observed.yaml must have the columns {COLUMNS}; run: {RECORD}"
    )


def test_a_single_recorded_fault_is_unknown_for_missing_validators() -> None:
    previous = {"expired": dict.fromkeys(COLUMNS, "refuse"), "san-missing": dict.fromkeys(COLUMNS, "accept")}
    current = {"expired": {"openssl": "accept"}, "serial-zero": {"openssl": "refuse"}}
    rows = merged(previous, current, only=current.keys())
    assert [*rows] == [fault for fault in FAULTS if fault in {*previous, *current}]
    for fault, row in current.items():
        assert rows[fault] == {**dict.fromkeys(COLUMNS, UNKNOWN), **row}
    assert rows["san-missing"] == previous["san-missing"]


def test_a_record_of_some_validators_keeps_the_verdicts_of_the_others() -> None:
    previous = {"expired": dict.fromkeys(COLUMNS, "refuse")}
    current = {"expired": {"openssl": "accept"}, "serial-zero": {"openssl": "refuse"}}
    rows = merged(previous, current, only=current.keys(), partial=True)
    assert rows["expired"] == {**previous["expired"], "openssl": "accept"}
    assert rows["serial-zero"] == {**dict.fromkeys(COLUMNS, UNKNOWN), "openssl": "refuse"}


def test_a_complete_record_keeps_the_verdicts_of_missing_validators_and_drops_removed_faults() -> None:
    previous = {"expired": {"java": "refuse"}, "san-missing": {"java": "refuse"}}
    rows = merged(previous, {"expired": {"openssl": "accept"}})
    assert [*rows] == ["expired"]
    assert (rows["expired"]["openssl"], rows["expired"]["java"]) == ("accept", "refuse")
    assert rows["expired"]["go"] == UNKNOWN


def test_an_unknown_verdict_is_no_difference() -> None:
    assert differs("expired", "accept")
    assert not differs("expired", UNKNOWN)


def test_the_recorder_writes_the_figures_of_the_readme() -> None:
    readme = (ROOT / "docs" / "tour.md").read_text("utf-8")
    assert with_figures(readme.replace(" 19 columns", " 3 columns")) == readme, f"run: {RECORD}"


def test_every_unexpected_verdict_in_the_record_has_a_reason() -> None:
    """Every recorded difference has its reason, also for validators that are not installed here."""
    differing = {
        (fault, name, one.versions[name])
        for one in records()
        for fault, row in one.rows.items()
        for name, word in row.items()
        if name in one.versions and differs(fault, word)
    }
    assert differing
    unexplained = [
        (fault, name, version)
        for fault, name, version in differing
        if not any(
            reason.fault == fault and reason.column == name and reason.is_of(version)
            for reason in known_differences()
        )
    ]
    assert sorted(unexplained) == []


@pytest.mark.parametrize(
    ("version", "nearest"),
    [
        ("X 3.0.7", "X 3.0.22"),
        ("X 3.4.0", "X 3.5.4"),
        ("X 3.0.22", "X 3.0.22"),
    ],
)
def test_an_unrecorded_version_is_compared_with_the_nearest_recorded_one(
    monkeypatch: pytest.MonkeyPatch, version: str, nearest: str
) -> None:
    systems = [
        Record("new", {"x": "X 3.5.4"}, {}),
        Record("old", {"x": "X 3.0.22"}, {}),
        Record("none", {}, {}),
    ]
    monkeypatch.setattr("pkigen.faults.observed.records", lambda: systems)
    assert recorded_version("x", version) == nearest
    assert recorded_version("y", version) == ""


def test_a_fault_of_class_r_is_rejected_by_a_validator() -> None:
    rows = observations()
    strict = {one.id for one in FAULTS.values() if one.verdict == "R" and one.id in rows}
    unseen = {fault for fault in strict if "refuse" not in rows[fault].values()}
    assert {fault for fault in unseen if "accept" in rows[fault].values()} == set()


def test_validators_differ_on_faults_of_class_v() -> None:
    """Two validators alone, of OCSP and of downloads, need not differ."""
    verdicts = {
        fault: [row[name] for one in records() if (row := one.rows.get(fault)) for name in one.versions]
        for fault, known in FAULTS.items()
        if known.verdict == "V"
    }
    judged = {
        fault: [word for word in words if word not in ("blind", UNKNOWN)] for fault, words in verdicts.items()
    }
    assert sum(len(words) > _TOO_FEW for words in judged.values()) > len(judged) // 2
    agreed = [
        fault for fault, words in judged.items() if len(words) > _TOO_FEW and len({*map(_first, words)}) < 2
    ]
    assert agreed == [], "of class P if all accept, of class R if all refuse"


def _first(word: str) -> str:
    return word.partition(" ")[0]


def test_the_page_of_the_matrix_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "python -m tests.faults.record writes it"


def test_at_least_ten_validators_share_no_code() -> None:
    assert len({column.name.partition("-")[0] for column in VALIDATORS}) >= 10
