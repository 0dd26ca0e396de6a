"""Runs scenarios, each in its own lab, and prints one line per step."""

from __future__ import annotations

import signal
import tempfile
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pkigen.cli._console import (
    colorize,
    print_line,
    print_message,
    printable,
    wrap,
)
from pkigen.cli._lab import silence_web_server
from pkigen.errors import EnvironmentFailure
from pkigen.os_errors import os_error_reason

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pkigen.lab.scenario.runner import StepResult
    from pkigen.lab.scenario.scenario import Scenario

_MARKS = {"passed": ("ok", "green"), "failed": ("FAILED", "red"), "not played": ("-", "grey")}
Story = tuple[str, "Scenario", Path]


def read_scenarios(sources: list[str]) -> list[Story]:
    """Read scenario files or shipped scenarios. Raise InputError for an invalid one."""
    from pkigen.lab.scenario.scenario import path_of, read_scenario

    paths = list(map(path_of, sources))
    return [(path.stem, read_scenario(path), path.parent) for path in paths]


def run_all(
    stories: list[Story], out: Path | None, port: int, pause: float, *, quiet: bool
) -> list[tuple[str, list[StepResult]]]:
    """Run the scenarios in order. Unless ``quiet``, print each step when it is done."""
    # Handle SIGTERM like Ctrl-C, so that the temporary directory with its keys is deleted.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return [(story[0], _run_one(story, out, port, pause, quiet)) for story in stories]
    finally:
        signal.signal(signal.SIGTERM, before)


def _run_one(story: Story, out: Path | None, port: int, pause: float, quiet: bool) -> list[StepResult]:
    from pkigen.lab.scenario.runner import run_scenario, scenario_lab

    silence_web_server()
    name, scenario, folder = story
    print_message(f"{name}: {scenario.title}")
    steps = []
    with _lab_directory(name, out) as place, scenario_lab(scenario, folder, Path(place), port) as lab:
        if pause:
            print_message(f"  Console: {lab.console.url}, user name admin, password {lab.password}")
        for step in run_scenario(scenario, lab, pause):
            steps.append(step)
            if not quiet:
                _print_step(step)
    return steps


def _lab_directory(name: str, out: Path | None) -> AbstractContextManager[str]:
    """Return a directory below ``out``, or a temporary one that is deleted on exit."""
    if out is not None:
        return nullcontext(str(out / name))
    return tempfile.TemporaryDirectory(prefix="pkigen-lab-")


def _print_step(step: StepResult) -> None:
    mark, color = _MARKS[step.result]
    seconds = f" ({step.seconds:.1f} s)" if step.seconds >= 1 else ""
    print_line(f"  {colorize(f'{mark:6}', color)} {wrap(step.title, 9)}{seconds}", flush=True)
    if step.words:
        print_line(wrap(f"         {step.words}", 9), flush=True)


def write_junit(path: Path, results: list[tuple[str, list[StepResult]]]) -> None:
    """Write the JUnit report. Raise EnvironmentFailure if that fails."""
    from pkigen.junit import report
    from pkigen.lab.scenario.runner import junit_cases

    text = report("pkigen lab", ((name, junit_cases(name, steps)) for name, steps in results))
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise EnvironmentFailure(f"cannot write {path}: {os_error_reason(error)}") from error


def format_summary(results: list[tuple[str, list[StepResult]]]) -> str:
    """Return a one-line summary."""
    failed = [name for name, steps in results if any(one.result != "passed" for one in steps)]
    count = sum(len(steps) for _, steps in results)
    if failed:
        return printable(f"{len(failed)} of {len(results)} scenarios failed: {', '.join(failed)}")
    word = "scenario" if len(results) == 1 else "scenarios"
    return f"{len(results)} {word}, {count} steps: all passed"


def as_json(results: list[tuple[str, list[StepResult]]]) -> dict[str, Any]:
    """Return the results as a JSON object."""
    stories = [
        {
            "name": name,
            "passed": all(one.result == "passed" for one in steps),
            "steps": [{**asdict(one), "seconds": round(one.seconds, 3)} for one in steps],
        }
        for name, steps in results
    ]
    return {"passed": all(story["passed"] for story in stories), "scenarios": stories}
