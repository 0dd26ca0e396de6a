"""Maps errors of the operating system and of SQLite to messages that say what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkigen.errors import EnvironmentFailure, visible
from pkigen.store.entries import DamagedIndex
from pkigen.store.layout import INDEX, STATE

_HINTS = {
    errno.ENOSPC: "the disk is full; make room and run the build again",
    errno.EDQUOT: "your disk quota is used up; make room and run the build again",
    errno.EFBIG: "the file would be larger than this system allows",
    errno.EROFS: "the file system is read-only; specify another directory with --out",
    errno.EACCES: "permission denied; specify your own directory with --out, or correct the permissions",
    errno.EPERM: "operation not permitted; specify your own directory with --out, or correct the permissions",
    errno.ENOTDIR: "a parent of the path is a file, not a directory",
    errno.EEXIST: "the path exists but is not a directory",
    errno.EISDIR: "the path is a directory, not a file",
    errno.ENAMETOOLONG: "the path is too long for this file system",
    errno.ELOOP: "too many symbolic links, or a link that pkigen does not follow",
    errno.EXDEV: "the environment spans several file systems (or layers of a container image);"
    " move all of it to one",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "too many files are open on this system",
    errno.EIO: "the disk reported an I/O error",
}
_REMEDY = "Restore it from a backup, or move the environment away and build it again"
_DAMAGED = f"it is damaged. {_REMEDY}"
_SQLITE_HINTS = {
    "full": _HINTS[errno.ENOSPC],
    "readonly": _HINTS[errno.EACCES],
    "unable to open": _HINTS[errno.EACCES],
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
        hint = _HINTS.get(error.errno or 0, error.strerror or str(error))
        raise EnvironmentFailure(f"cannot {action} {path}: {hint}") from error
    except sqlite3.Error as error:
        message = str(error)
        hint = next((hint for part, hint in _SQLITE_HINTS.items() if part in message), message)
        if isinstance(error, DamagedIndex):
            hint = f"it is damaged ({visible(message)}). {_REMEDY}"
        raise EnvironmentFailure(f"cannot {action} {folder}/{STATE}/{INDEX}: {hint}") from error
