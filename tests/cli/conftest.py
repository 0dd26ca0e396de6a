"""Running a command line here (quick) or as a program of its own (whole)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pkigen.cli import main
from tests.tools import ROOT

PROFILE = """\
name: contoso
base_url: http://127.0.0.1:8080
defaults: {key: ec-p256}
authorities:
  root: {subject: {CN: Contoso Test Root CA}}
certificates:
  console:
    issuer: root
    subject: {CN: console.contoso.test}
  sensor-{01..03}:
    issuer: root
    subject: {CN: "{{ name }}.contoso.test"}
"""


@dataclass(frozen=True)
class Outcome:
    """What a command line left: its exit code, its results, its messages."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Run a command line in an empty directory, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PKIGEN_DEBUG", raising=False)

    def run(*arguments: str | Path) -> Outcome:
        code = main([str(argument) for argument in arguments])
        return Outcome(code, *capsys.readouterr())

    return run


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile of one root and four certificates, in the directory that ``cli`` runs in."""
    path = tmp_path / "contoso.yaml"
    path.write_text(PROFILE)
    return path


def start(*arguments: str | Path, **how: Any) -> subprocess.Popen[bytes]:
    """The program itself, its streams in pipes unless ``how`` says otherwise."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **how.pop("environ", {})}
    command = [sys.executable, "-m", "pkigen", *map(str, arguments)]
    return subprocess.Popen(
        command, env=environ, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
    )


def finish(process: subprocess.Popen[bytes]) -> Outcome:
    """Wait for a program that is about to end."""
    try:
        out, err = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()  # a process that outlives its test would fail others
        process.communicate()
        raise
    return Outcome(process.returncode, (out or b"").decode(), (err or b"").decode())
