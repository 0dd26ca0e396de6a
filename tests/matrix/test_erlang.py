"""The column of Erlang: the verdicts of one process for several cases are independent of each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pkigen.matrix import MatrixCase, Validator
from pkigen.matrix.validators.erlang import ERLANG
from tests.matrix.tools import parameter


@pytest.mark.parametrize("erlang", [parameter(ERLANG)])
def test_a_case_without_trust_anchors_does_not_change_the_verdict_on_the_next_one(
    cases: dict[str, MatrixCase], erlang: Validator
) -> None:
    sound = cases["sound"]
    without = replace(cases["sound.expired"], name="without anchors", anchors=(), at=sound.at)
    answers = erlang.judge([without, sound])
    assert answers[without.name].parts["path"] is False
    assert answers[sound.name].parts["path"] is True, answers[sound.name]
