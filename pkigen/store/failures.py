"""The machine's refusals, in words."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkigen.errors import EnvironmentFailure

_HINTS = {
    errno.ENOSPC: "the disk is full; make room and run the build again",
    errno.EDQUOT: "your disk quota is used up; make room and run the build again",
    errno.EFBIG: "the file would be larger than this system allows",
    errno.EROFS: "the file system is read-only; name another folder with --out",
    errno.EACCES: "permission denied; name a folder of yours with --out, or mend its permissions",
    errno.EPERM: "not permitted; name a folder of yours with --out, or mend its permissions",
    errno.ENOTDIR: "a file is where a folder must be",
    errno.EEXIST: "something else is where a folder must be",
    errno.ENAMETOOLONG: "the path is too long for this file system",
    errno.EMFILE: "too many files are open",
    errno.EIO: "the disk failed to read or write",
}


@contextmanager
def told(what: str, path: Path | str) -> Iterator[None]:
    """Turn the system's and SQLite's errors into EnvironmentFailure: what was tried, why not, what to do."""
    try:
        yield
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) else path
        hint = _HINTS.get(error.errno or 0, error.strerror or str(error))
        raise EnvironmentFailure(f"cannot {what} {place}: {hint}") from error
    except sqlite3.Error as error:
        raise EnvironmentFailure(f"cannot {what} {path}: {_sqlite_hint(error)}") from error


def _sqlite_hint(error: sqlite3.Error) -> str:
    words = str(error)
    if "full" in words:
        return _HINTS[errno.ENOSPC]
    if "readonly" in words or "unable to open" in words:
        return _HINTS[errno.EACCES]
    if "malformed" in words or "not a database" in words:
        return "it is damaged. Restore it from a backup, or move the environment away and build anew"
    return words
