"""The saved state of a lab: a warning about its clock, and how it is discarded."""

from __future__ import annotations

from pathlib import Path

import pytest

from pkigen.cli import main
from pkigen.cli._lab_up import _prepare_state
from pkigen.errors import EnvironmentFailure
from pkigen.lab.state import STATE, State, acquire_lock, reset, saved_clock_offset


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    state = State(tmp_path / "out" / "demo")
    state.write_json(STATE, {"ahead": 90_000.0, "password": "x"})
    state.write("sensor.crt", b"uploaded")
    return tmp_path / "out" / "demo"


def test_up_warns_about_a_clock_that_is_ahead(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _prepare_state(environment, fresh=False)
    assert "1 days and 1 hours ahead. `pkigen lab up --fresh` or" in capsys.readouterr().err
    _prepare_state(environment, fresh=True)
    _prepare_state(environment, fresh=False)
    assert capsys.readouterr().err == ""
    assert not saved_clock_offset(environment)


def test_reset_deletes_the_saved_state(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", "reset", "--out", str(environment.parent)]) == 0
    assert "starts with the machine's time" in capsys.readouterr().err
    assert not State(environment).path("sensor.crt").exists()
    assert main(["lab", "reset", str(environment)]) == 0
    assert main(["lab", "reset", "elsewhere", "--out", str(environment.parent)]) == 2
    (environment.parent / "other" / ".pkigen" / "lab").mkdir(parents=True)
    assert main(["lab", "reset", "--out", str(environment.parent)]) == 2


def test_a_running_lab_is_not_reset(environment: Path) -> None:
    lock = acquire_lock(State(environment))
    try:
        with pytest.raises(EnvironmentFailure, match="pkigen lab down"):
            reset(environment)
    finally:
        lock.release()
    assert saved_clock_offset(environment).days == 1


@pytest.mark.parametrize("saved", ["not JSON", '{"ahead": "soon"}', "[]", "[" * 100_000])
def test_a_corrupt_state_can_be_reset(environment: Path, saved: str) -> None:
    State(environment).path(STATE).write_text(saved)
    assert not saved_clock_offset(environment)
    assert reset(environment)
    assert not reset(environment.parent / "nothing")
