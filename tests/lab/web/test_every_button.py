"""Every button of the lab, in states that hypothesis finds; ``make presses`` is the long form."""

from __future__ import annotations

from tests.lab.web.buttons import press


def test_no_button_in_any_state_ends_in_an_internal_error() -> None:
    assert press(40, steps=40) >= 40
