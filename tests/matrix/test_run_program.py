"""Programs that hang, crash or die: verdicts, not failures of the matrix."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pkigen.matrix import MatrixCase, line_protocol
from pkigen.matrix.line_protocol import ask
from pkigen.matrix.run_program import run
from pkigen.matrix.validator import one_line

# Answers every case but those that say what else to do.
_PROGRAM = """
import json, os, sys, time
for line in sys.stdin:
    host = json.loads(line)["host"]
    if host == "hang":
        time.sleep(60)
    if host == "crash":
        os.kill(os.getpid(), 11)
    if host == "die":
        sys.exit("cannot go on: /etc/hosts is missing")
    print(json.dumps({"path": {"accepted": True}}), flush=True)
"""


def test_a_hanging_program_is_stopped_and_a_crash_is_reported() -> None:
    hung = run("sleep", "60", seconds=1)
    assert hung.code is None
    assert hung.broken == "timed out after 1 s"
    assert run("sh", "-c", "kill -SEGV $$").broken == "crashes: SIGSEGV"
    assert run("true").succeeded
    assert run("false").broken == ""


def test_a_line_based_program_is_restarted_after_a_failure(
    cases: dict[str, MatrixCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_protocol, "SECONDS", 1)
    hosts = ("one", "hang", "crash", "two", "die", "three")
    requested = [replace(cases["sound"], name=host, host=host) for host in hosts]
    answers = ask((sys.executable, "-c", _PROGRAM), requested)
    assert {name: answer.words for name, answer in answers.items()} == {
        "one": "",
        "hang": "timed out after 1 s",
        "crash": "crashes: SIGSEGV",
        "two": "",
        "die": "ends with 1: cannot go on: hosts is missing",
        "three": "",
    }
    assert [name for name, answer in answers.items() if answer.accepted] == ["one", "two", "three"]


def test_the_time_that_a_program_waits_for_a_cpu_core_does_not_count(
    cases: dict[str, MatrixCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = iter((0.0, 0.8, 100.0))
    monkeypatch.setattr(line_protocol, "SECONDS", 1)
    monkeypatch.setattr(line_protocol, "seconds_without_cpu", lambda pid: next(waited))
    late = "import sys, time; sys.stdin.readline(); time.sleep(1.3); print('{}', flush=True)"
    (answer,) = ask((sys.executable, "-c", late), [cases["sound"]]).values()
    assert answer.words == ""


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="this system does not count it")
def test_the_time_without_a_cpu_core_is_that_of_the_process() -> None:
    assert 0 < line_protocol.seconds_without_cpu(os.getpid()) < time.monotonic()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("cannot read /tmp/a/b.pem:\n  no", "cannot read b.pem: no"),
        ("'/tmp/a/b.pem'", "'b.pem'"),
        ("see http://127.0.0.1:8080/crl/root.crl", "see http://127.0.0.1:8080/crl/root.crl"),
        ("valid and/or good", "valid and/or good"),
    ],
)
def test_messages_are_one_line_without_paths(words: str, expected: str) -> None:
    assert one_line(words) == expected
