"""The output of ``pkigen verify ENV``: the path tests of an environment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import typer

from pkigen.cli._console import colorize, print_json, print_line, wrap
from pkigen.errors import InputError

_WORDS = {True: ("right", "green"), False: ("WRONG", "red"), None: ("cannot say", "yellow")}


def run_path_tests(folder: Path, at: datetime, *, json: bool) -> None:
    """Run the path tests of an environment; exit with 1 if a verdict is wrong."""
    from pkigen.environment.environment import open_environment
    from pkigen.environment.path_tests import PathTestResult, PathTestRun

    environment = open_environment(folder)
    if not environment.contents.path_tests:
        message = f"{folder} has no path tests; specify a certificate file, or add path_tests to its profile"
        raise InputError(message)
    results = list(PathTestRun(environment, at).results())

    def as_json(one: PathTestResult) -> dict[str, Any]:
        return {
            **one.test.model_dump(),
            "files": {"certificate": one.files.certificate, "chain": one.files.chain, "crls": one.files.crls},
            "verdict": "undecided" if one.passed is None else "accept" if one.result.ok else "reject",
            "problems": [problem.message for problem in one.result.problems],
        }

    if json:
        print_json([as_json(one) for one in results])
    else:
        for one in results:
            word, color = _WORDS[one.passed]
            if one.passed is not True:
                print_line(
                    f"{colorize(word, color)}  {one.test.id} {one.test.title}: expected {one.test.expect}"
                )
                for problem in one.result.problems:
                    print_line(wrap(f"  {problem.message}.", 4))
        counts = {word: sum(one.passed is passed for one in results) for passed, (word, _) in _WORDS.items()}
        print_line(", ".join(f"{count} {word.lower()}" for word, count in counts.items()))
    if any(one.passed is False for one in results):
        raise typer.Exit(1)
