"""Maps errors of the operating system and of SQLite to messages that say what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkigen.errors import EnvironmentFailure, visible
from pkigen.os_errors import os_error_reason, reason_of
from pkigen.store.entries import DamagedIndex
from pkigen.store.layout import INDEX, STATE

_REMEDY = "Restore it from a backup, or move the environment away and build it again"
_DAMAGED = f"it is damaged. {_REMEDY}"
_SQLITE_HINTS = {
    "full": reason_of(errno.ENOSPC),
    "readonly": reason_of(errno.EACCES),
    "unable to open": reason_of(errno.EACCES),
    "disk I/O": "the disk is full or reported an I/O error",
    "locked": "another program has it open; wait until that program ends",
    "malformed": _DAMAGED,
    "not a database": _DAMAGED,
    "no such table": _DAMAGED,
    "no such column": _DAMAGED,
    "has no column": _DAMAGED,
    "columns but": _DAMAGED,  # table T has N columns but M values were supplied
    "constraint failed": _DAMAGED,
    "unsupported file format": _DAMAGED,
    "decode to UTF-8": _DAMAGED,
    "datatype mismatch": _DAMAGED,
}


@contextmanager
def os_errors_as_failures(action: str, folder: Path | str) -> Iterator[None]:
    """Raise OSError and sqlite3.Error as EnvironmentFailure: the action, the path, the reason and the remedy.

    ``action`` is a verb. ``folder`` is the environment, unless the error names a path.
    """
    try:
        yield
    except OSError as error:
        path = error.filename if isinstance(error.filename, str) else folder
        raise EnvironmentFailure(f"cannot {action} {path}: {os_error_reason(error)}") from error
    except sqlite3.Error as error:
        message = str(error)
        hint = next((hint for part, hint in _SQLITE_HINTS.items() if part in message), message)
        if isinstance(error, DamagedIndex):
            hint = f"it is damaged ({visible(message)}). {_REMEDY}"
        raise EnvironmentFailure(f"cannot {action} {folder}/{STATE}/{INDEX}: {hint}") from error
