"""The output of ``pkigen verify ENV``: the path tests of an environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from pkigen.cli._console import colorize, print_json, print_line, wrap
from pkigen.errors import InputError

if TYPE_CHECKING:
    from pkigen.environment.path_tests import PathTestResult

_RIGHT, _WRONG, _UNDECIDED, _DIFFERENT = "right", "WRONG", "cannot say", "differs"
_COLORS = {_RIGHT: "green", _WRONG: "red", _UNDECIDED: "yellow", _DIFFERENT: "yellow"}


def run_path_tests(folder: Path, at: datetime, *, json: bool) -> None:
    """Run the path tests of an environment; exit with 1 if a verdict is wrong."""
    from pkigen.environment.environment import open_environment
    from pkigen.environment.path_tests import PathTestRun

    environment = open_environment(folder)
    if not environment.contents.path_tests:
        message = f"{folder} has no path tests; specify a certificate file, or add path_tests to its profile"
        raise InputError(message)
    results = list(PathTestRun(environment, at).results())

    if json:
        print_json([_as_json(one) for one in results])
    else:
        _print(results)
    if any(_word(one) == _WRONG for one in results):
        raise typer.Exit(1)


def _word(one: PathTestResult) -> str:
    if one.passed is None:
        return _UNDECIDED
    if one.passed:
        return _RIGHT
    return _WRONG if one.test.required else _DIFFERENT


def _as_json(one: PathTestResult) -> dict[str, Any]:
    return {
        **one.test.model_dump(),
        "files": asdict(one.files),
        "verdict": "undecided" if one.passed is None else "accept" if one.result.ok else "reject",
        "problems": [problem.message for problem in one.result.problems],
    }


def _print(results: Sequence[PathTestResult]) -> None:
    """Print the tests with another verdict and their problems, and the numbers."""
    counts = Counter(map(_word, results))
    for one in results:
        word = _word(one)
        if word != _RIGHT:
            print_line(
                f"{colorize(word, _COLORS[word])}  {one.test.id} {one.test.title}: expected {one.test.expect}"
            )
            for problem in one.result.problems:
                print_line(wrap(f"  {problem.message}.", 4))
    line = ", ".join(f"{counts[word]} {word.lower()}" for word in (_RIGHT, _WRONG, _UNDECIDED))
    different = f", {counts[_DIFFERENT]} different where it is not required"
    print_line(line + (different if counts[_DIFFERENT] else ""))
