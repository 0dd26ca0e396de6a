"""Runs a scenario in its own lab and collects the step results."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pkigen.documents.shipped import find
from pkigen.environment.build.build import build
from pkigen.environment.build.options import BuildOptions
from pkigen.errors import PkigenError
from pkigen.junit import Case, Failure
from pkigen.lab.lab import Lab
from pkigen.lab.scenario.scenario import (
    AlertStep,
    Expectation,
    Scenario,
    Step,
    UploadStep,
    ValidationStep,
)
from pkigen.lab.scenario.steps import StepRunner
from pkigen.lab.startup import running_lab
from pkigen.lab.web import web
from pkigen.profile import load

Result = Literal["passed", "failed", "not played"]


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step and what became of it: ``words`` say what is otherwise than expected."""

    title: str
    result: Result
    words: str = ""
    seconds: float = 0.0


@contextmanager
def scenario_lab(scenario: Scenario, folder: Path, out: Path, port: int = 0) -> Iterator[Lab]:
    """A new lab of a scenario's profile, built below ``out``, as long as the block runs.

    ``folder`` is the one that the profile's path is relative to. The CRL server is at a free port,
    whatever the profile says; so are the appliances if ``port`` is 0. Raises what ``raised`` does.
    """
    base_url = f"http://127.0.0.1:{_free_port()}"
    asked = scenario.profile
    source = find(asked, folder) if isinstance(asked, str) else asked
    profile = load(source, folder=folder, base_url=base_url)
    # The directory belongs to the scenario: another profile of an earlier run may have been there.
    result = build(profile, out, BuildOptions(force=True))
    with running_lab(result.folder, profile, web, port=port) as lab:
        yield lab


def run_scenario(
    scenario: Scenario, lab: Lab, pause: float = 0.0, wait: Callable[[float], object] = time.sleep
) -> Iterator[StepResult]:
    """Each step as it is done, ``pause`` seconds after the one before; none is done after one that failed."""
    stage = StepRunner(lab, scenario.within, wait)
    failed = False
    for number, step in enumerate(scenario.steps):
        if failed:
            yield StepResult(step_title(step), "not played")
            continue
        if pause and number:
            wait(pause)
        begun = time.monotonic()
        try:
            words = stage.do(step)
        except PkigenError as error:
            words = str(error)
        failed = bool(words)
        yield StepResult(step_title(step), "failed" if failed else "passed", words, time.monotonic() - begun)


def step_title(step: Step) -> str:
    """What a step is called in the report."""
    if step.says is not None:
        return step.says
    value = getattr(step, step.kind)
    if isinstance(value, Expectation):
        told = value.model_dump(exclude_none=True, exclude={"within", value.kind}, mode="json")
        return f"expect {value.of}: " + ", ".join(f"{key} {text}" for key, text in told.items())
    if isinstance(value, UploadStep):
        return f"upload {value.certificate} to {value.to}"
    if isinstance(value, AlertStep):
        return f"{value.at} raises an alert: {value.title}"
    if isinstance(value, ValidationStep):
        return f"validation of {value.of}: {value.to}"
    if step.kind == "clock":
        return f"clock {getattr(value, 'text', value)}"
    return f"{step.kind.replace('_', ' ')} {value}"


def junit_cases(name: str, steps: Sequence[StepResult]) -> list[Case]:
    """The steps of a scenario as a JUnit report has them."""
    return [_case(name, number, one) for number, one in enumerate(steps, 1)]


def _case(name: str, number: int, one: StepResult) -> Case:
    failure = Failure(one.words) if one.result == "failed" else None
    skipped = "an earlier step failed" if one.result == "not played" else None
    return Case(f"{number:02} {one.title}", name, failure, skipped, one.seconds)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
