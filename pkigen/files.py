"""Reads files that a user names, with a size limit, and writes files that only the user can read."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from hashlib import sha256
from pathlib import Path

from pkigen import renames
from pkigen.errors import EnvironmentFailure
from pkigen.os_errors import os_error_reason

_PART_END = r"[^/\\:\x00]"
PATH_PART = rf"(?:[^./\\:\x00]{_PART_END}*|\.[^./\\:\x00]{_PART_END}*|\.\.{_PART_END}+)"
"""A file or directory name as a regular expression: not ``.`` or ``..``, without separators and drives."""
RELATIVE_PATH = rf"{PATH_PART}(?:/{PATH_PART})*"
"""A path with ``/`` that stays below the directory that it is relative to, except by a link."""


FileStamp = tuple[int, ...]
_COARSE_NANOSECONDS = 50_000_000


def file_stamp(path: str) -> FileStamp | None:
    """Return what changes if the contents of a file change; an empty tuple for a missing file.

    None for a file younger than the resolution of the file system's clock, because a second change within
    the same tick would be invisible.
    """
    try:
        status = os.stat(path)
    except OSError:
        return ()
    changed = max(status.st_mtime_ns, status.st_ctime_ns)
    if time.time_ns() - changed <= _COARSE_NANOSECONDS:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_size


MISSING = ""
"""In recorded reads, the digest of a file that does not exist."""
_reads: ContextVar[dict[str, str] | None] = ContextVar("_reads", default=None)


@contextmanager
def recorded_reads() -> Iterator[dict[str, str]]:
    """Record what this thread reads with ``read_file`` in the block: absolute paths, and the SHA-256."""
    reads = dict[str, str]()
    token = _reads.set(reads)
    try:
        yield reads
    finally:
        _reads.reset(token)


def current_reads() -> dict[str, str] | None:
    """Return what was read so far in the block of ``recorded_reads``; None outside of one."""
    return _reads.get()


def record_read(path: Path, digest: str) -> None:
    """Record the digest of a file, or MISSING where the existence of the file would change the result."""
    reads = _reads.get()
    if reads is not None:
        reads[os.path.abspath(path)] = digest


def read_file(path: Path, limit: int) -> bytes:
    """Return the contents of a file of at most ``limit`` bytes; raises ValueError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = os_error_reason(error) if isinstance(error, OSError) else error
        raise ValueError(f"{path} cannot be read: {reason}") from error
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes")
    if _reads.get() is not None:
        record_read(path, sha256(data).hexdigest())
    return data


def links_outside(directory: Path, paths: Iterable[str]) -> Path | None:
    """Return the first link that leads out of a directory, in the paths relative to it; None if none does.

    ``paths`` match RELATIVE_PATH. Missing files are no links.
    """
    base, root, checked = os.fspath(directory), directory.resolve(), set[str]()
    for path in paths:
        parents = path.split("/")
        for depth in range(1, len(parents) + 1):
            prefix = path if depth == len(parents) else "/".join(parents[:depth])
            if prefix in checked:
                continue
            checked.add(prefix)
            link = f"{base}/{prefix}"
            if os.path.islink(link) and not Path(link).resolve().is_relative_to(root):
                return Path(link)
    return None


_DRAFT_BYTES = 4
_DRAFT = re.compile(rf"\..+\.[0-9a-f]{{{2 * _DRAFT_BYTES}}}")


def remove_drafts(directory: Path) -> None:
    """Delete what ``write_private_file`` left in a directory when its process was killed."""
    for path in directory.iterdir():
        if _DRAFT.fullmatch(path.name):
            with suppress(OSError):
                path.unlink()


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file with mode 0600 and replace an existing one; raises EnvironmentFailure."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(_DRAFT_BYTES)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(draft, flags, 0o600), "wb") as file:
            file.write(data)
        renames.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise EnvironmentFailure(f"cannot write {path}: {os_error_reason(error)}") from error
