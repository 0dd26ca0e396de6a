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
    """The result of a step; ``words`` describe the failure."""

    title: str
    result: Result
    words: str = ""
    seconds: float = 0.0


@contextmanager
def scenario_lab(scenario: Scenario, folder: Path, out: Path, port: int = 0) -> Iterator[Lab]:
    """Build the profile of a scenario below ``out`` and run its lab for the duration of the block.

    The path of the profile is relative to ``folder``. The CRL server uses a free port, and so do the
    appliances if ``port`` is 0. Raises what ``running_lab`` raises.
    """
    base_url = f"http://127.0.0.1:{_free_port()}"
    chosen = scenario.profile
    source = find(chosen, folder) if isinstance(chosen, str) else chosen
    profile = load(source, folder=folder, base_url=base_url)
    # The directory belongs to the scenario: another profile of an earlier run may have been there.
    result = build(profile, out, BuildOptions(force=True))
    with running_lab(result.folder, profile, web, port=port) as lab:
        yield lab


def run_scenario(
    scenario: Scenario, lab: Lab, pause: float = 0.0, wait: Callable[[float], object] = time.sleep
) -> Iterator[StepResult]:
    """Run the steps with a pause in seconds between them, and yield the results; stop at a failure."""
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
    """Return the title of a step in the report."""
    if step.says is not None:
        return step.says
    value = getattr(step, step.kind)
    if isinstance(value, Expectation):
        conditions = value.model_dump(exclude_none=True, exclude={"within", value.kind}, mode="json")
        return f"expect {value.of}: " + ", ".join(f"{key} {text}" for key, text in conditions.items())
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
    """Convert step results to JUnit test cases."""
    return [_case(name, number, one) for number, one in enumerate(steps, 1)]


def _case(name: str, number: int, one: StepResult) -> Case:
    failure = Failure(one.words) if one.result == "failed" else None
    skipped = "an earlier step failed" if one.result == "not played" else None
    return Case(f"{number:02} {one.title}", name, failure, skipped, one.seconds)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
