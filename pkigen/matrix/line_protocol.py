"""The protocol for programs that evaluate cases: one line per case in each direction, JSON or fields."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from pkigen.errors import InputError
from pkigen.matrix.run_program import signal_name
from pkigen.matrix.validator import (
    PARTS,
    SECONDS,
    Answer,
    MatrixCase,
    Part,
    PartVerdict,
    answer,
    one_line,
)

Process = subprocess.Popen[bytes]
_MOST_TIMEOUTS = 6
"""A program on a busy machine gets at most so many times its timeout."""


@dataclass(frozen=True)
class Form:
    """Encodes a case for a program and decodes its answer, both one line."""

    write: Callable[[MatrixCase], str]
    read: Callable[[str], dict[Part, PartVerdict]]


def ask(
    command: Sequence[str | Path],
    cases: Sequence[MatrixCase],
    form: Form | None = None,
    seconds: int | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Answer]:
    """Return the answers to all cases by name; a program that hangs or crashes is restarted.

    ``seconds`` is the timeout for a case, ``environ`` contains additional environment variables.
    """
    form, seconds = form or JSON, seconds or SECONDS
    process = _start(command, environ)
    answers = {}
    try:
        for case in cases:
            line = _ask(process, form.write(case), seconds)
            if line.endswith(b"\n"):
                answers[case.name] = answer(form.read(line.decode("utf-8", "replace").rstrip("\r\n")))
                continue
            answers[case.name] = Answer(False, one_line(_end(process, seconds)))
            process = _start(command, environ)
    finally:
        process.kill()
        _end(process, seconds)
    return answers


def _start(command: Sequence[str | Path], environ: Mapping[str, str] | None) -> Process:
    return subprocess.Popen(
        [str(word) for word in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environ or {})},
        start_new_session=True,
    )


def _ask(process: Process, case: str, seconds: int) -> bytes:
    """Return the line that answers a case; it is incomplete if the program ended."""
    assert process.stdin is not None
    assert process.stdout is not None
    answered = Event()
    limit = Thread(target=_kill_after, args=(process, seconds, answered))
    limit.start()
    try:
        with suppress(BrokenPipeError):
            process.stdin.write(case.encode("utf-8", "surrogateescape") + b"\n")
            process.stdin.flush()
        return process.stdout.readline()
    finally:
        answered.set()
        limit.join()


def _kill_after(process: Process, seconds: int, answered: Event) -> None:
    """Kill a program that takes longer than its timeout, not counting the time it waits for a CPU core."""
    before, begun = seconds_without_cpu(process.pid), time.monotonic()
    remaining: float = seconds
    while not answered.wait(remaining):
        extra = seconds_without_cpu(process.pid) - before
        remaining = min(seconds + extra, seconds * _MOST_TIMEOUTS) - (time.monotonic() - begun)
        if remaining <= 0:
            process.kill()
            return


def seconds_without_cpu(pid: int) -> float:
    """Return how long the threads of a process were ready to run but had no CPU core; 0 except on Linux."""
    total = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):
            total += int(path.read_text("ascii").split()[1])
    return total / 1e9


def _end(process: Process, seconds: int) -> str:
    """Describe how a program ended."""
    _, err = process.communicate()
    if process.returncode == -9:
        return f"timed out after {seconds} s"
    if process.returncode < 0:
        return f"crashes: {signal_name(-process.returncode)}"
    words = err.decode("utf-8", "replace").strip().splitlines()
    return f"ends with {process.returncode}: {words[-1] if words else 'no reason given'}"


def _json(case: MatrixCase) -> str:
    return json.dumps(asdict(case), default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value)


def _from_json(line: str) -> dict[Part, PartVerdict]:
    verdicts: dict[Part, Any] = json.loads(line)
    return {part: PartVerdict(**verdict) for part, verdict in verdicts.items()}


def _fields(case: MatrixCase) -> str:
    lists = (_UNIT.join(map(str, paths)) for paths in (case.anchors, case.crls))
    files = (case.certificate, case.chain, case.key, case.pkcs12, case.passphrase)
    last = (case.proxy, case.issuer, case.ocsp)
    fields = (*files, case.host, f"{case.at.timestamp():.3f}", *lists, *last)
    line = "\t".join("" if one is None else str(one) for one in fields)
    if line.count("\t") != len(fields) - 1 or "\n" in line:
        raise InputError(f"{case.certificate}: these validators take no path with a tab or a line feed in it")
    return line


def _from_fields(line: str) -> dict[Part, PartVerdict]:
    words = line.split("\t")
    parts = zip(words[0::3], words[1::3], words[2::3], strict=False)
    known: dict[str, Part] = {part: part for part in PARTS}
    return {
        known[part]: PartVerdict(accepted == "1", "" if accepted == "1" else reason)
        for part, accepted, reason in parts
    }


_UNIT = "\x1f"
"""Separator of the paths in a list: the ASCII unit separator."""

JSON = Form(_json, _from_json)
"""A case is an object of its fields: paths as text, the instant in RFC 3339. What comes back is
``{PART: {"accepted": BOOL, "words": TEXT}}`` with the parts that were looked at."""

FIELDS = Form(_fields, _from_fields)
"""Fields between tabs, for programs without a reader of JSON: certificate, chain, key, PKCS#12, passphrase,
host, seconds since 1970 (with three decimals), anchors, CRLs, proxy, issuer, URL of OCSP. Back come three for
each part: its name, 1 or 0, the words."""
