"""Locks that several test processes hold: each ends with its process, however that ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.store.lock import Lock

_PATIENCE = 600.0


@contextmanager
def directory_lock(folder: Path) -> Iterator[None]:
    """Alone in a folder, which is made if need be; waits ten minutes for others."""
    lock = acquire_lock(folder, _PATIENCE)
    try:
        yield
    finally:
        lock.release()


def acquire_lock(folder: Path, patience: float = 0.0) -> Lock:
    """The lock of a folder; EnvironmentFailure when another process holds it for that many seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    return Lock(folder, patience)


def is_locked(folder: Path, patience: float = 0.0) -> bool:
    """Whether another process still holds a folder's lock after so many seconds."""
    try:
        acquire_lock(folder, patience).release()
    except EnvironmentFailure:
        return True
    return False
