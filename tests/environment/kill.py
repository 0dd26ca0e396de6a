"""Run a program that kills itself at a chosen event, so that the kill does not depend on speed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Audit events of Python: each one precedes a change of the disk or lies between two of them.
_PRELUDE = """
import os, signal, sys
kill_at, count_path = int(sys.argv[1]), sys.argv[2]
count = 0
def count_event(event, _arguments):
    global count
    if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"):
        count += 1
        if count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
del sys.argv[1:3]
"""
_START = "\nsys.addaudithook(count_event)\n"
_END = """
with open(count_path, "w") as file:
    file.write(str(count))
"""


def run(imports: str, body: str, *arguments: str | Path, kill_at: int, folder: Path) -> tuple[int, int]:
    """Run ``body`` after ``imports`` (both Python source); kill it at event number ``kill_at`` (0: never).

    Returns the exit code and the number of events (0 if killed). ``folder`` is for the count.
    """
    count_path = folder / "events"
    count_path.unlink(missing_ok=True)
    program = _PRELUDE + imports + _START + body + _END
    command = [sys.executable, "-c", program, str(kill_at), str(count_path), *map(str, arguments)]
    completed = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return completed.returncode, int(count_path.read_text()) if count_path.exists() else 0
