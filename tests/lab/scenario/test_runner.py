"""Running scenarios: unmet expectations fail, and met ones pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pkigen.lab.scenario.runner import (
    StepResult,
    junit_cases,
    run_scenario,
    scenario_lab,
    step_title,
)
from pkigen.lab.scenario.scenario import Scenario, names
from tests import prestarted
from tests.lab.conftest import Plant, document
from tests.tools import run


def story(*steps: dict[str, Any], within: float = 0.0) -> Scenario:
    return Scenario.model_validate({"title": "A story", "within": within, "steps": list(steps)})


def played(plant: Plant, *steps: dict[str, Any], within: float = 0.0) -> list[StepResult]:
    return list(run_scenario(story(*steps, within=within), plant.lab))


UP = {"connection": "sensor-01:console", "state": "connected"}


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        ({**UP, "state": "halted"}, "sensor-01:console is 'connected', expected 'halted'"),
        ({"connection": "sensor-*:console", "state": "connected"}, "sensor-03:console is 'halted', expected"),
        ({**UP, "message": "revoked"}, "sensor-01:console reports nothing"),
        ({**UP, "blames": "Plant Root"}, "blames nothing"),
        ({**UP, "queued": 2}, "has 0 queued alerts, expected 2"),
        ({"connection": "sensor-09:console", "state": "connected"}, "did you mean 'sensor-0"),
        ({"connection": "nobody-*", "state": "connected"}, "there is no connection 'nobody-*'"),
        (
            {"appliance": "sensor-03", "presents": "sensor-03"},
            "sensor-03 does not present the certificate sensor-03",
        ),
        (
            {"appliance": "sensor-01", "presents": "local"},
            "does not present a locally self-signed certificate",
        ),
        ({"appliance": "sensor-01", "presents": "sensor-99"}, "no certificate 'sensor-99'"),
        ({"appliance": "console", "shows": "no such alert"}, "console has no alert 'no such alert'"),
        ({"receiver": "siem", "shows": "no such alert"}, "siem received 'no such alert' 0 times"),
        ({"receiver": "other", "shows": "x"}, "no receiver 'other'"),
    ],
)
def test_an_unmet_expectation_fails_with_the_actual_state(
    plant: Plant, expected: dict[str, Any], words: str
) -> None:
    (step,) = played(plant, {"expect": expected})
    assert step.result == "failed"
    assert words in step.words


def test_a_met_expectation_passes(plant: Plant) -> None:
    steps = played(
        plant,
        {"expect": {**UP, "queued": 0}},
        {"expect": {"connection": "sensor-03:console", "state": "halted", "message": "chain"}},
        {"expect": {"appliance": "sensor-01", "presents": "sensor-01"}},
        {"expect": {"appliance": "sensor-03", "presents": "local"}},
    )
    assert [step.result for step in steps] == ["passed"] * 4


def test_no_step_runs_after_a_failed_one(plant: Plant) -> None:
    off = {"validation": {"of": "sensor-01", "to": "none"}}
    steps = played(plant, {"expect": {**UP, "state": "halted"}}, off)
    assert [step.result for step in steps] == ["failed", "not played"]
    assert plant.lab.appliance("sensor-01").mandatory


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        ({"to": "sensor-03", "certificate": "sensor-03.not-after-future-expired"}, "has expired and"),
        (
            {"to": "sensor-02", "certificate": "sensor-02", "refused": ["expired"]},
            "accepted the upload; expected",
        ),
        ({"to": "sensor-02", "certificate": "sensor-77"}, "no certificate 'sensor-77'"),
        ({"to": "sensor-77", "certificate": "sensor-02"}, "no appliance 'sensor-77'"),
    ],
)
def test_an_upload_with_an_unexpected_result_fails(plant: Plant, upload: dict[str, Any], words: str) -> None:
    (step,) = played(plant, {"upload": upload})
    assert step.result == "failed"
    assert words in step.words


def test_an_upload_that_is_rejected_as_expected_passes(plant: Plant) -> None:
    upload = {"to": "sensor-03", "certificate": "sensor-03.not-after-future-expired", "refused": ["expired"]}
    in_words = {**upload, "refused": ["This SSL certificate has expired and isn't considered valid."]}
    assert [step.result for step in played(plant, {"upload": upload}, {"upload": in_words})] == ["passed"] * 2


def test_an_expectation_waits_until_it_is_met(plant: Plant) -> None:
    looks = []

    def comes_true() -> bool:
        looks.append(1)
        return len(looks) > 2

    sensor = plant.lab.appliance("sensor-02")
    plant.lab.scheduler.wait_until(comes_true, 5)
    steps = played(
        plant,
        {"alert": {"at": "sensor-02", "title": "a title of its own"}},
        {"expect": {"receiver": "siem", "shows": "a title of its own"}},
        {"expect": {"appliance": "console", "shows": "a title of its own"}},
        within=20,
    )
    assert [step.result for step in steps] == ["passed"] * 3
    assert any(alert.title == "a title of its own" for alert in sensor.alerts)


def test_pauses_are_between_steps(plant: Plant) -> None:
    waited: list[float] = []
    list(
        run_scenario(
            story({"expect": UP}, {"wait": 7}, {"expect": UP}, within=5), plant.lab, 3.0, waited.append
        )
    )
    assert waited == [3.0, 7.0, 3.0]


def test_every_step_has_its_own_title() -> None:
    steps = story(
        {"clock": "31d"},
        {"clock": "right"},
        {"crl_server": "stop"},
        {"validation": {"of": "a", "to": "none"}},
        {"upload": {"to": "a", "certificate": "b"}},
        {"alert": {"at": "a", "title": "c"}},
        {"revoke": "a"},
        {"says": "In words", "wait": 1},
        {"expect": UP},
    ).steps
    assert list(map(step_title, steps)) == [
        "clock 31d",
        "clock right",
        "crl server stop",
        "validation of a: none",
        "upload b to a",
        "a raises an alert: c",
        "revoke a",
        "In words",
        "expect sensor-01:console: state connected",
    ]


def test_a_report_numbers_the_steps() -> None:
    steps = [
        StepResult("one", "passed"),
        StepResult("two", "failed", "why"),
        StepResult("three", "not played"),
    ]
    cases = junit_cases("story", steps)
    assert [case.name for case in cases] == ["01 one", "02 two", "03 three"]
    assert [bool(case.failure) for case in cases] == [False, True, False]
    assert [bool(case.skipped) for case in cases] == [False, False, True]


def test_two_labs_of_one_profile_run_at_once_on_different_ports(tmp_path: Path) -> None:
    profile = {**document(), "base_url": "http://127.0.0.1:8085"}
    scenario = Scenario.model_validate({"title": "A story", "profile": profile, "steps": [{"expect": UP}]})
    with (
        scenario_lab(scenario, tmp_path, tmp_path / "a") as one,
        scenario_lab(scenario, tmp_path, tmp_path / "b") as other,
    ):
        assert one.crl_server.url != other.crl_server.url
        assert [[step.result for step in run_scenario(scenario, lab)] for lab in (one, other)] == [
            ["passed"]
        ] * 2


@pytest.mark.parametrize("name", names())
def test_a_shipped_scenario_passes(name: str, tmp_path: Path) -> None:
    result = run(prestarted.directory() / "pkigen", "lab", "run", name, cwd=tmp_path)
    assert result.rstrip().endswith("all passed")
    assert "FAILED" not in result
    assert list(tmp_path.iterdir()) == []
