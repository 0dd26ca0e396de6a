"""Sets the time of programs that use the system clock, with libfaketime if it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from functools import cache

from pkigen.matrix.run_program import run


def at_time(instant: datetime, *, ticking: bool = False) -> Mapping[str, str]:
    """Return the environment variables that set the time of a program; none without faketime.

    Unless ``ticking``, the clock does not advance.
    """
    command = shutil.which("faketime")
    preloaded = _preloaded(command) if command else {}
    if not preloaded:
        return {}
    return {**preloaded, "FAKETIME": f"{'@' if ticking else ''}{instant:%Y-%m-%d %H:%M:%S}", "TZ": "UTC"}


@cache
def _preloaded(command: str) -> dict[str, str]:
    """Return the variables with which faketime preloads its library.

    The faketime command itself is not used, because it leaves a semaphore behind when it is killed.
    """
    lines = run(command, "-f", "2000-01-01 00:00:00", "env").out.splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name: value for name, _, value in pairs if name in ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES")}
