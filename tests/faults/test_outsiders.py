"""The catalogue held against validators of other makers: what they do is recorded, row by row."""

from __future__ import annotations

from collections import Counter

import pytest

from pkigen.environment import Environment
from pkigen.faults import FAULTS
from pkigen.matrix import VALIDATORS
from tests.faults.outsiders import NOT_GIVEN, Rows, deviating, explained, judged, recorded, seen, versions

COLUMNS = [validator.name for validator in VALIDATORS]
needs_all = pytest.mark.needs("openssl", "certtool", "faketime", "go")


@pytest.fixture(scope="module")
def rows(catalogue: Environment) -> Rows:
    return seen(catalogue)


@needs_all
def test_every_fault_is_treated_as_it_is_recorded(rows: Rows) -> None:
    made_with, held = recorded()
    other = {
        column: f"recorded with {made_with[column]}, seen with {version}"
        for column, version in versions().items()
        if version != made_with[column]
    }
    changed = {
        fault: {
            column: f"{held.get(fault, {}).get(column, 'nothing')} is recorded, {word} is seen"
            for column, word in row.items()
            if held.get(fault, {}).get(column) != word
        }
        for fault, row in rows.items()
    }
    changed = {fault: columns for fault, columns in changed.items() if columns}
    assert not changed, f"if this is right: python -m tests.faults.record {other or ''}"


@needs_all
def test_whoever_deviates_from_the_class_of_a_fault_has_a_reason(rows: Rows) -> None:
    reasons = {(fault, column) for fault, column, _ in explained()}
    assert sorted(deviating(rows) - reasons) == []
    assert sorted(reasons - deviating(rows)) == [], "these deviate no longer"


def test_a_reason_is_one_sentence_and_given_once() -> None:
    given = list(explained())
    assert [pair for pair, times in Counter(entry[:2] for entry in given).items() if times > 1] == []
    assert {column for _, column, _ in given} <= set(COLUMNS)
    for fault, _, reason in given:
        assert reason.endswith("."), fault
        assert "\n" not in reason, fault


def test_every_fault_that_files_show_has_its_row() -> None:
    _, held = recorded()
    assert held.keys() == {one.id for one in FAULTS.values() if judged(one)}
    assert {tuple(row) for row in held.values()} == {tuple(COLUMNS)}


def test_nobody_was_seen_to_refuse_what_passes_as_its_class_says() -> None:
    """What stands in the record, so that it is told without any tool."""
    _, held = recorded()
    reasons = {(fault, column) for fault, column, _ in explained()}
    passing = [one.id for one in FAULTS.values() if one.verdict == "P" and one.id in held]
    refused = {
        (fault, column)
        for fault in passing
        for column, word in held[fault].items()
        if word.startswith("refuse")
    }
    assert passing
    assert sorted(refused - reasons) == []


def test_a_fault_that_is_to_be_refused_is_seen_by_somebody() -> None:
    _, held = recorded()
    strict = {one.id for one in FAULTS.values() if one.verdict == "R" and one.id in held}
    unseen = {fault for fault in strict if "refuse" not in held[fault].values()}
    assert unseen == {"cdp-unreachable", "cdp-unresolvable", *NOT_GIVEN}
