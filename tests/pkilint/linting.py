"""Asks pkilint, which runs with the Python of .venv-pkilint, for its findings."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.tools import ROOT

WHOLE = "PKIGEN_PKILINT" in os.environ
"""Whether `make pkilint` runs the tests."""
_INSTALLED = ROOT / ".venv-pkilint" / "bin" / "python"
PYTHON = os.environ.get("PKIGEN_PKILINT", str(_INSTALLED) if _INSTALLED.exists() else "")


def lint(against: list[str], paths: list[Path]) -> list[list[str]]:
    """Return the codes of the findings about each certificate, linted against SET:ROLE."""
    lines = [json.dumps([reference, str(path)]) for reference, path in zip(against, paths, strict=True)]
    command = [PYTHON, str(Path(__file__).parent / "lint.py")]
    done = subprocess.run(command, input="\n".join(lines), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
