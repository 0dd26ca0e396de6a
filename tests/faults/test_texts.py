"""What the texts of faults say about clients agrees with the recorded verdicts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import combinations

from pkigen.cases.case import Case
from pkigen.faults import FAULTS, FaultRequest, Impossible
from pkigen.faults.description import changes
from pkigen.faults.observed import observations
from pkigen.plan.sample import sample_case
from tests.faults.outsiders import UNKNOWN

_CLAIM = re.compile(
    r"\b(?P<quantity>most|many|few|some)(?: \w+)? (?:clients |validators |parsers |libraries )?"
    r"(?:\w+ )?(?P<verb>reject|accept|check this|detect)",
    re.IGNORECASE,
)
_REJECTS = {"most": (0.5, 1.0), "many": (0.25, 1.0), "few": (0.0, 0.35), "some": (0.01, 0.99)}
"""The shares of validators that each word permits."""
_ENOUGH = 8
"""Verdicts on a fault: fewer do not permit a statement."""
_BROWSERS = {"san-10000"}
"""The text is about TLS clients, which the validators of the matrix are not."""


def test_quantities_in_texts_agree_with_the_verdicts() -> None:
    checked, wrong = 0, {}
    for fault, row in observations().items():
        words = [word for word in row.values() if word not in ("blind", UNKNOWN)]
        known = FAULTS[fault]
        match = _CLAIM.search(" ".join((known.says, *known.shows.split())))
        if match is None or len(words) < _ENOUGH or fault in _BROWSERS:
            continue
        checked += 1
        share = sum(word.startswith("refuse") for word in words) / len(words)
        if match["verb"] == "accept":
            share = 1 - share
        lowest, highest = _REJECTS[match["quantity"].lower()]
        if not lowest <= share <= highest:
            wrong[fault] = f"'{match[0]}', but {share:.0%}"
    assert checked > 70
    assert wrong == {}


_BASE = sample_case(datetime(2026, 11, 1, tzinfo=UTC))


def _made() -> Iterator[tuple[str, Case]]:
    """The case of each fault that changes the sample."""
    for name, fault in FAULTS.items():
        try:
            case = FaultRequest(fault).apply(_BASE)
        except Impossible:
            continue
        if case != _BASE:
            yield name, case


def test_two_faults_that_build_the_same_case_name_each_other() -> None:
    alike: dict[str, list[tuple[str, Case]]] = defaultdict(list)
    for name, case in _made():
        alike[repr(case)].append((name, case))
    equal = [
        (one, other)
        for group in alike.values()
        for (one, case), (other, another) in combinations(group, 2)
        if case == another
    ]
    assert equal == [("ku-ca-missing", "crl-issuer-ku-missing")]
    for one, other in equal:
        assert other in FAULTS[one].shows
        assert one in FAULTS[other].shows


def test_a_field_that_a_fault_leaves_empty_is_listed_as_a_change() -> None:
    case = FaultRequest(FAULTS["ocsp-empty-responses"]).apply(_BASE)
    assert "OCSP: answers none" in changes(_BASE, case)
