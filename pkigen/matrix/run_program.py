"""Runs programs that may hang or crash: both are verdicts."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pkigen.matrix.validator import SECONDS, Answer, MatrixCase

_THREADS = 2


@dataclass(frozen=True)
class Ran:
    """How a program ended: exit code (None: it was stopped after so many seconds), and all that it wrote."""

    code: int | None
    out: str
    err: str
    seconds: int = SECONDS

    @property
    def succeeded(self) -> bool:
        """Whether it ended well."""
        return self.code == 0

    @property
    def broken(self) -> str:
        """What is to be said of a program that did not come to an end of its own; empty for others."""
        if self.code is None:
            return f"does not come to an end within {self.seconds} s"
        return f"crashes: {signal_name(-self.code)}" if self.code < 0 else ""


def run(
    *command: str | Path, given: bytes = b"", environ: Mapping[str, str] | None = None, seconds: int = SECONDS
) -> Ran:
    """Run a program with ``given`` on its stdin and no terminal to ask at; OSError when it is not there."""
    process = subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C.UTF-8", **(environ or {})},
        start_new_session=True,
    )
    try:
        out, err = process.communicate(given, timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return Ran(None, _text(out), _text(err), seconds)
    return Ran(process.returncode, _text(out), _text(err))


def each(judge: Callable[[MatrixCase], Answer], cases: Sequence[MatrixCase]) -> dict[str, Answer]:
    """The answers to all cases, some at a time, by name."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return dict(zip((case.name for case in cases), threads.map(judge, cases), strict=True))


def signal_name(number: int) -> str:
    """SIGSEGV and the like."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
