"""Parsing scenarios: all errors are reported at once, with their locations."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pkigen.errors import InputError
from pkigen.lab.scenario.scenario import (
    Scenario,
    names,
    path_of,
    read_scenario,
)


def read(folder: Path, text: str) -> Scenario:
    (folder / "story.yaml").write_text(text, encoding="utf-8")
    return read_scenario(folder / "story.yaml")


def wrong(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as refused:
        read(folder, text)
    return [str(problem).removeprefix(f"{folder}/") for problem in refused.value.problems]


def wrong_step(folder: Path, step: str) -> list[str]:
    return wrong(folder, f"title: A story\nsteps:\n  - {step}\n")


def test_all_errors_of_a_scenario_are_reported_with_their_line(tmp_path: Path) -> None:
    assert wrong(
        tmp_path,
        "title: A story\nwithin: soon\nsteps:\n  - revoek: sensor-01\n  - upload: {to: sensor-01}\n",
    ) == [
        "story.yaml:2:9: within: this is a number",
        "story.yaml:4:13: steps.0.revoek: unknown key 'revoek' (did you mean 'revoke'?)",
        "story.yaml:5:5: steps.1.upload.certificate: 'certificate' is missing",
    ]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("{says: nothing}", "a step needs exactly one action; choose one of upload, stay,"),
        ("{revoke: a, wait: 1}", "a step needs exactly one action"),
        ("{clock: tomorrow}", "'tomorrow'"),
        ("{crl_server: halt}", "this must be 'start' or 'stop'"),
        ("{wait: 601}", "this must be at most 600"),
        ("{wait: nan}", "this"),
        ("{expect: {state: halted}}", "specify exactly one of connection, appliance and receiver"),
        ("{expect: {connection: a, receiver: b, state: halted}}", "specify exactly one of"),
        (
            "{expect: {connection: a}}",
            "no expectation given; set at least one of state, message, blames, queued",
        ),
        ("{expect: {receiver: a, state: halted}}", "'state' does not apply to a receiver; use shows"),
        ("{expect: {connection: a, state: red}}", "this must be 'not tried yet', 'connected'"),
        ("{validation: {of: a, to: off}}", "this must be 'mandatory' or 'none'"),
        ("{alert: {at: a, title: b, severity: 11}}", "this must be at most 10"),
    ],
)
def test_an_impossible_step_is_rejected(tmp_path: Path, step: str, words: str) -> None:
    (problem,) = wrong_step(tmp_path, step)
    assert problem.startswith("story.yaml:3:")
    assert words in problem


@pytest.mark.parametrize("text", ["title: A story\nsteps: []\n", "title: A story\n", "- a\n", "a: [\n"])
def test_a_file_that_is_no_scenario_is_rejected(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, text)


def test_a_missing_scenario_is_rejected_with_the_existing_names(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'revoked-sensor'"):
        path_of("revoked-senor")
    with pytest.raises(InputError):
        read_scenario(tmp_path)


def test_the_five_shipped_scenarios_can_be_read() -> None:
    expected = ("crl-server-down", "expiry-over-night", "first-deployment", "revoked-sensor", "wrong-chain")
    assert names() == expected
    assert all(read_scenario(path_of(name)).title for name in names())


_VALUES = st.recursive(
    st.text(max_size=8) | st.integers() | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_STEPS = st.dictionaries(
    st.sampled_from(["says", "upload", "stay", "alert", "validation", "revoke", "clock", "wait", "expect"]),
    _VALUES | st.fixed_dictionaries({"connection": _VALUES, "state": _VALUES}),
    max_size=2,
)


@given(st.fixed_dictionaries({"title": _VALUES, "steps": st.lists(_STEPS, max_size=3), "profile": _VALUES}))
def test_any_text_is_a_scenario_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    try:
        scenario = read_scenario(path)
    except InputError as error:
        refused = [problem.message for problem in error.problems]
    else:
        refused = []
        assert scenario.steps
    assert all(refused)
