"""Another time for programs that take it from the system: libfaketime, where faketime is installed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from functools import cache

from pkigen.matrix.run_program import run


def at_time(instant: datetime, *, ticking: bool = False) -> Mapping[str, str]:
    """The environment variables under which a program lives at an instant; none without faketime.

    The clock stands still, if it is not to be ``ticking``.
    """
    command = shutil.which("faketime")
    preloaded = _preloaded(command) if command else {}
    if not preloaded:
        return {}
    return {**preloaded, "FAKETIME": f"{'@' if ticking else ''}{instant:%Y-%m-%d %H:%M:%S}", "TZ": "UTC"}


@cache
def _preloaded(command: str) -> dict[str, str]:
    """What faketime has the loader load.

    The command itself shares a clock between processes by a semaphore named after its process, which one that
    was killed leaves behind.
    """
    told = run(command, "-f", "2000-01-01 00:00:00", "env").out.splitlines()
    pairs = (line.partition("=") for line in told)
    return {name: value for name, _, value in pairs if name in ("LD_PRELOAD", "DYLD_INSERT_LIBRARIES")}
