"""Locks between test processes; the operating system releases them when the process exits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.store.lock import Lock

_PATIENCE = 600.0


@contextmanager
def directory_lock(folder: Path) -> Iterator[None]:
    """Lock a directory, creating it if necessary; wait up to ten minutes."""
    lock = acquire_lock(folder, _PATIENCE)
    try:
        yield
    finally:
        lock.release()


def acquire_lock(folder: Path, patience: float = 0.0) -> Lock:
    """Lock a directory. Raise EnvironmentFailure if it is still locked after ``patience`` seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    return Lock(folder, patience)


def is_locked(folder: Path, patience: float = 0.0) -> bool:
    """Whether another process still holds the lock after ``patience`` seconds."""
    try:
        acquire_lock(folder, patience).release()
    except EnvironmentFailure:
        return True
    return False
