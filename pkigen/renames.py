"""Renames of files and directories, also where another program has them open for a moment.

On Windows, a virus scanner or an indexer opens new files. Until it closes them, renaming fails with an access
or sharing violation, so a rename is tried again for some seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

_VIOLATIONS = {5, 32, 33}
"""ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION."""
_FIRST_WAIT, _TOTAL_WAIT = 0.005, 2.0

StrPath = str | os.PathLike[str]


def replace(source: StrPath, target: StrPath) -> None:
    """Rename a file, and replace an existing one; OSError as from ``os.replace``."""
    _patiently(os.replace, source, target)


def rename(source: StrPath, target: StrPath) -> None:
    """Rename a file or a directory; OSError as from ``os.rename``, which differs where ``target`` exists."""
    _patiently(os.rename, source, target)


def _patiently(action: Callable[[StrPath, StrPath], None], source: StrPath, target: StrPath) -> None:
    for pause in _pauses() if _is_windows() else ():
        try:
            return action(source, target)
        except PermissionError as error:
            # An existing directory causes the same error, and time does not help.
            if getattr(error, "winerror", None) not in _VIOLATIONS or os.path.isdir(target):
                raise
        time.sleep(pause)
    return action(source, target)


def _is_windows() -> bool:
    return os.name == "nt"


def _pauses() -> Iterator[float]:
    pause, total = _FIRST_WAIT, 0.0
    while total < _TOTAL_WAIT:
        yield pause
        total, pause = total + pause, pause * 2
