"""Asks a program that judges case after case: a line of JSON for each, in and out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from threading import Timer
from typing import Any

from pkigen.matrix.running import signal_name
from pkigen.matrix.validator import SECONDS, Answer, MatrixCase, Part, Said, answer, one_line

Process = subprocess.Popen[bytes]


def ask(command: Sequence[str | Path], cases: Sequence[MatrixCase]) -> dict[str, Answer]:
    """The answers to all cases by name; a program that hangs or crashes is started anew for the next one.

    A case goes out as an object of its fields: paths as text, the instant in RFC 3339. What comes back
    is ``{PART: {"accepted": BOOL, "words": TEXT}}`` with the parts that were looked at.
    """
    process = _start(command)
    answers = {}
    try:
        for case in cases:
            line = _ask(process, case)
            if line.endswith(b"\n"):
                said: dict[Part, Any] = json.loads(line)
                answers[case.name] = answer({part: Said(**found) for part, found in said.items()})
                continue
            answers[case.name] = Answer(False, one_line(_end(process)))
            process = _start(command)
    finally:
        process.kill()
        _end(process)
    return answers


def _start(command: Sequence[str | Path]) -> Process:
    return subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _ask(process: Process, case: MatrixCase) -> bytes:
    """The line that answers a case; without its end when the program ended first."""
    assert process.stdin is not None
    assert process.stdout is not None
    stop = Timer(SECONDS, process.kill)
    stop.start()
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(asdict(case), default=_plain).encode() + b"\n")
            process.stdin.flush()
        return process.stdout.readline()
    finally:
        stop.cancel()


def _end(process: Process) -> str:
    """How a program came to its end."""
    _, err = process.communicate()
    if process.returncode == -9:
        return f"does not come to an end within {SECONDS} s"
    if process.returncode < 0:
        return f"crashes: {signal_name(-process.returncode)}"
    words = err.decode("utf-8", "replace").strip().splitlines()
    return f"ends with {process.returncode}: {words[-1] if words else 'no reason given'}"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value)
