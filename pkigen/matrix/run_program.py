"""Runs programs that may hang or crash, which is a verdict."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pkigen.matrix.validator import SECONDS, Answer, MatrixCase

_THREADS = 2


@dataclass(frozen=True)
class Ran:
    """The result of a program: exit code (None after a timeout in seconds) and output."""

    code: int | None
    out: str
    err: str
    seconds: int = SECONDS

    @property
    def succeeded(self) -> bool:
        """Whether the program succeeded."""
        return self.code == 0

    @property
    def broken(self) -> str:
        """The reason for a timeout or crash, or ""."""
        if self.code is None:
            return f"timed out after {self.seconds} s"
        return f"crashes: {signal_name(-self.code)}" if self.code < 0 else ""


def run(
    *command: str | Path, given: bytes = b"", environ: Mapping[str, str] | None = None, seconds: int = SECONDS
) -> Ran:
    """Run a program with ``given`` on its stdin and without a terminal; OSError if it does not exist."""
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
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)  # with the processes that it started
        out, err = process.communicate()
        return Ran(None, _text(out), _text(err), seconds)
    return Ran(process.returncode, _text(out), _text(err))


def each(judge: Callable[[MatrixCase], Answer], cases: Sequence[MatrixCase]) -> dict[str, Answer]:
    """Return the answers to all cases by name, evaluated concurrently."""
    with ThreadPoolExecutor(_THREADS) as threads:
        return dict(zip((case.name for case in cases), threads.map(judge, cases), strict=True))


def signal_name(number: int) -> str:
    """Return the name of a signal, such as SIGSEGV."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
