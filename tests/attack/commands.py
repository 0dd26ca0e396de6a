"""Runs command lines in this process, and states what a command line must never do."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from pkigen.cli import main


@dataclass(frozen=True, slots=True)
class Ended:
    """The exit code, the results and the messages of a command line."""

    code: int
    out: str
    err: str

    def problem(self) -> str:
        """Return what no command line may do, whatever its input is; empty if it did none of it."""
        if "bug in pkigen" in self.err or "Traceback" in self.err:
            return f"bug: {self.err[-400:]}"
        return "" if self.code in (0, 1, 2, 3) else f"exit code {self.code}"


def run_command(arguments: Sequence[str]) -> Ended:
    """Run a command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return Ended(code, out.getvalue(), err.getvalue())
