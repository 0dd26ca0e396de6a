"""What `pkigen faults` lists as the changes of a fault: complete, and text for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pkigen.cases.case import Impossible
from pkigen.faults import FAULTS, FaultRequest
from pkigen.faults.description import changes
from pkigen.plan.sample import sample_case

_SAMPLE = sample_case(datetime(2026, 11, 1, tzinfo=UTC))
_SAME_ON_THE_SAMPLE = {"cn-shared", "sct-missing"}
"""Faults that name or omit what the sample certificate names or omits anyway."""
_ENDS_LIKE_A_NAME = {"rdn-empty-set", "chain-name-whitespace"}
_IN_PYTHON = re.compile(r"\w=(?:None|True|False|\(\)|')|<\w+ object")


def _changes(fault: str) -> tuple[str, ...]:
    return changes(_SAMPLE, FaultRequest(FAULTS[fault]).apply(_SAMPLE))


def test_every_fault_lists_its_changes_in_words() -> None:
    listed = dict[str, tuple[str, ...]]()
    for fault, known in FAULTS.items():
        try:
            listed[fault] = () if known.is_of_server else _changes(fault)
        except Impossible:
            continue
    silent = {fault for fault, lines in listed.items() if not lines and not FAULTS[fault].is_of_server}
    assert silent == _SAME_ON_THE_SAMPLE
    unfinished = {fault for fault, lines in listed.items() if any(line != line.strip() for line in lines)}
    assert unfinished == _ENDS_LIKE_A_NAME
    assert {fault for fault, lines in listed.items() if any(map(_IN_PYTHON.search, lines))} == set()


def test_an_additional_ca_lists_what_differs_from_the_ca_it_was_copied_from() -> None:
    assert "issuing.sensor.subordinate: policy mappings (critical)" in str(_changes("pol-mapping-inhibited"))
    assert "issuing.sensor.constrained: name constraints (critical)" in str(
        _changes("chain-nc-violating-then-valid")
    )


def test_the_key_kind_of_most_of_many_additional_cas_is_listed() -> None:
    lines = _changes("chain-long-9")
    assert "8 additional CAs in the path" in lines
    assert lines[-1] == "7 of these CAs: key kind ec-p256"
