"""A lock that allows one writer per directory: an exclusive SQLite transaction.

The operating system ends the transaction with the process, so that a killed process leaves no stale
lock. This works the same on Linux, macOS and Windows. A file beside the lock names the process that holds it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.os_errors import reason_of


class EnvironmentInUse(EnvironmentFailure):
    """Another process holds the lock of the environment."""


class Lock:
    """A lock that is held from construction until ``release``.

    Wait up to ``patience`` seconds for another process to release it. Raises EnvironmentFailure when
    that process still holds the lock.
    """

    def __init__(self, folder: Path, patience: float = 0) -> None:
        self._owner = folder / "lock.pid"
        database = folder / "lock.db"
        self._connection = sqlite3.connect(database, timeout=patience, isolation_level=None)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
            self._owner.unlink(missing_ok=True)
            with self._owner.open("x") as file:
                file.write(str(os.getpid()))
        except sqlite3.Error as error:
            self._connection.close()
            if "locked" in str(error):
                raise EnvironmentInUse(
                    f"another pkigen{self._holder()} is writing to {folder.parent}; wait until it ends"
                ) from error
            reason = f"{error}; delete that file if no pkigen is running"
            if "full" in str(error):
                reason = reason_of(errno.ENOSPC)
            raise EnvironmentFailure(f"cannot lock {folder.parent} with {database}: {reason}") from error
        except OSError:
            self._connection.close()
            raise

    def _holder(self) -> str:
        try:
            return f" (process {int(self._owner.read_text())})"
        except (OSError, ValueError):
            return ""

    def release(self) -> None:
        """Release the lock."""
        try:
            self._owner.unlink(missing_ok=True)
        finally:
            self._connection.close()
