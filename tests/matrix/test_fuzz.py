"""The search for combinations on which validators differ, with made-up verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pkigen.matrix.fuzz import Combination, Difference, search


class _Verdicts:
    """Validator a rejects x, b rejects y and z together, c checks nothing; w cannot be issued."""

    def __init__(self) -> None:
        self.rounds = list[Sequence[Combination]]()

    def __call__(self, combinations: Sequence[Combination]) -> Mapping[Combination, Mapping[str, str]]:
        self.rounds.append(combinations)
        return {one: self._of(one) for one in combinations if "w" not in one}

    def _of(self, faults: Combination) -> Mapping[str, str]:
        a = "refuse path" if "x" in faults else "accept"
        b = "refuse" if {"y", "z"} <= set(faults) else "accept"
        return {"a": a, "b": b, "c": "blind"}


def test_each_pattern_is_reported_once_with_the_fewest_faults() -> None:
    judge = _Verdicts()
    differences = search([("u", "v", "x"), ("t", "x"), ("t", "y", "z"), ("u", "y", "z"), ("t", "u")], judge)
    assert differences == [
        Difference(("x",), (("a", "refuse"), ("b", "accept"))),
        Difference(("y", "z"), (("a", "accept"), ("b", "refuse"))),
    ]
    assert differences[0].validators("refuse") == ["a"]
    assert max(map(len, judge.rounds)) == 5


def test_a_case_that_all_accept_or_all_reject_is_no_difference() -> None:
    assert search([("t", "u"), ("x", "y", "z")], _Verdicts()) == []


def test_combinations_that_cannot_be_issued_are_left_out() -> None:
    assert search([("w", "x")], _Verdicts()) == []
