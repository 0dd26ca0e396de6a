"""The examples run, and what they say of a client is so."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import ROOT


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example with httpx, copied to where no other project is around it."""
    return Path(shutil.copytree(ROOT / "examples" / "httpx", tmp_path / "httpx"))


def _pytest(folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_httpx_has_the_recorded_verdicts(example: Path) -> None:
    code, output = _pytest(example)
    assert code == 0, output


def test_unrecorded_and_wrongly_recorded_verdicts_fail(example: Path) -> None:
    record = example / "accepted.json"
    recorded = json.loads(record.read_bytes())
    del recorded["san-missing"]
    record.write_text(json.dumps({**recorded, "expired": "surely not"}))
    code, output = _pytest(example, "-k", "san-missing or server.expired] or nul-in-san")
    assert code == 1
    assert "2 failed, 1 passed" in output
