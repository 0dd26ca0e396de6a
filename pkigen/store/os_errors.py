"""The machine's refusals, in words."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.store.layout import INDEX, STATE

_HINTS = {
    errno.ENOSPC: "the disk is full; make room and run the build again",
    errno.EDQUOT: "your disk quota is used up; make room and run the build again",
    errno.EFBIG: "the file would be larger than this system allows",
    errno.EROFS: "the file system is read-only; name another folder with --out",
    errno.EACCES: "permission denied; name a folder of yours with --out, or mend its permissions",
    errno.EPERM: "not permitted; name a folder of yours with --out, or mend its permissions",
    errno.ENOTDIR: "a file is where a folder must be",
    errno.EEXIST: "something else is where a folder must be",
    errno.EISDIR: "a folder is where a file must be",
    errno.ENAMETOOLONG: "the path is too long for this file system",
    errno.ELOOP: "a link there leads in a circle, or is not followed",
    errno.EXDEV: "parts of the environment are on different file systems (or layers of a container's image);"
    " put all of it on one",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open on this machine",
    errno.EIO: "the disk failed to read or write",
}
_DAMAGED = "it is damaged. Restore it from a backup, or move the environment away and build anew"
_SQLITE_HINTS = {
    "full": _HINTS[errno.ENOSPC],
    "readonly": _HINTS[errno.EACCES],
    "unable to open": _HINTS[errno.EACCES],
    "disk I/O": "the disk is full, or failed to read or write",
    "locked": "another program has it open; wait until that has ended",
    "malformed": _DAMAGED,
    "not a database": _DAMAGED,
    "no such table": _DAMAGED,
    "no such column": _DAMAGED,
}


@contextmanager
def os_errors_as_failures(what: str, folder: Path | str) -> Iterator[None]:
    """Turn the system's and SQLite's errors into EnvironmentFailure: what was tried, why not, what to do.

    ``folder`` is the environment's; a file that the system names is named instead.
    """
    try:
        yield
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) else folder
        hint = _HINTS.get(error.errno or 0, error.strerror or str(error))
        raise EnvironmentFailure(f"cannot {what} {place}: {hint}") from error
    except sqlite3.Error as error:
        words = str(error)
        hint = next((hint for part, hint in _SQLITE_HINTS.items() if part in words), words)
        raise EnvironmentFailure(f"cannot {what} {folder}/{STATE}/{INDEX}: {hint}") from error
