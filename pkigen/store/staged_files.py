"""Writes an entity's files to a private staging directory, flushes files, and exchanges directories."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from pkigen.errors import EnvironmentFailure
from pkigen.model import File
from pkigen.store.entries import StagedFiles
from pkigen.store.layout import STAGING, STATE, is_file_name
from pkigen.store.os_errors import os_errors_as_failures

_AT_FDCWD, _RENAME_EXCHANGE, _RENAME_SWAP = -100, 2, 2


def exchange(first: str, second: str) -> bool:
    """Exchange two directories atomically; return False if that failed.

    The system or file system may not support it, or a sandbox may forbid the call. For any other reason the
    two renames that the caller tries next fail as well, with a better error.
    """
    call = _exchange_call()
    return call is not None and call(os.fsencode(first), os.fsencode(second)) == 0


@cache
def _exchange_call() -> Callable[[bytes, bytes], int] | None:
    try:
        library = ctypes.CDLL(None)
        if sys.platform == "linux":
            renameat2 = library.renameat2
            return lambda first, second: renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
        if sys.platform == "darwin":
            renamex_np = library.renamex_np
            return lambda first, second: renamex_np(first, second, _RENAME_SWAP)
    except (OSError, AttributeError, TypeError):
        pass
    return None


def sync_file(path: Path) -> None:
    """Flush one file to the disk."""
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        _flush(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Flush the names in a directory to the disk; Windows does it implicitly."""
    if sys.platform != "win32":
        sync_file(path)


def sync_all(paths: Iterable[Path], base: Path) -> None:
    """Flush files, and directories with their files, to the disk. ``base`` contains all of them."""
    syncfs = _syncfs()
    if syncfs is not None:
        descriptor = os.open(base, os.O_RDONLY)
        try:
            if syncfs(descriptor) == 0:
                return
        finally:
            os.close(descriptor)
    for path in paths:
        if path.is_dir():
            for file in path.iterdir():
                sync_file(file)
            sync_directory(path)
        else:
            sync_file(path)


def _flush(descriptor: int) -> None:
    if sys.platform == "darwin":
        import fcntl

        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync does not flush the drive's cache
        except OSError:  # not supported by the file system
            os.fsync(descriptor)
    else:
        os.fsync(descriptor)


@cache
def _syncfs() -> Any:
    """Return Linux's syncfs(2): one flush for a whole batch, whereas fsync takes 0.3 ms per file."""
    if sys.platform != "linux":
        return None
    try:
        return ctypes.CDLL(None, use_errno=True).syncfs
    except (OSError, AttributeError):
        return None


# Do not follow a link, or block on a pipe, that replaced a file.
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
_CHUNK = 65_536
_NAME_BYTES = 12


def file_digest(path: str) -> str:
    """Return the SHA-256 of a file in hexadecimal; OSError if it is not a regular file.

    Uses system calls directly, since a build computes thousands of digests.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        chunk = os.read(descriptor, _CHUNK)
        digest = sha256(chunk)
        while len(chunk) == _CHUNK:
            chunk = os.read(descriptor, _CHUNK)
            digest.update(chunk)
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def stage(environment: Path, files: Sequence[File]) -> StagedFiles:
    """Write one entity's files into a new staging directory. Needs no store, so any process can call it.

    The paths of ``files`` are file names. ``Store.publish`` flushes the files of a batch. Raises
    EnvironmentFailure, and leaves nothing behind, for errors of the system.
    """
    (staged,) = stage_all(environment, [files])
    return staged


def stage_all(environment: Path, entities: Sequence[Sequence[File]]) -> list[StagedFiles]:
    """Write the files of several entities, each into a new staging directory; as ``stage``."""
    staging = f"{environment}/{STATE}/{STAGING}"
    names = secrets.token_hex(_NAME_BYTES * len(entities))
    width, staged = 2 * _NAME_BYTES, list[StagedFiles]()
    with os_errors_as_failures("write", environment), _directory(staging) as directory:
        try:
            for number, files in enumerate(entities):
                name = names[number * width : (number + 1) * width]
                staged.append(StagedFiles(name, _digests(files)))
                os.mkdir(directory.path(name), 0o700, dir_fd=directory.descriptor)
                for file in files:
                    path = directory.path(f"{name}/{file.path}")
                    write_new(path, file.data, secret=file.secret, directory=directory.descriptor)
        except BaseException as error:
            for one in staged:
                shutil.rmtree(f"{staging}/{one.folder}", ignore_errors=True)
            if isinstance(error, OSError) and isinstance(error.filename, str):
                error.filename = os.path.join(staging, error.filename)
            raise
    return staged


def _digests(files: Sequence[File]) -> tuple[tuple[str, str], ...]:
    for file in files:
        if not is_file_name(file.path):
            raise EnvironmentFailure(f"{file.path!r} is not a file name; nothing was written")
    return tuple((file.path, sha256(file.data).hexdigest()) for file in files)


@dataclass(frozen=True, slots=True)
class _Directory:
    """An open directory; without a descriptor, where the system has none, paths begin with its own."""

    name: str
    descriptor: int | None

    def path(self, name: str) -> str:
        """Return the path of an entry for calls that get the descriptor."""
        return f"{self.name}/{name}" if self.descriptor is None else name


@contextmanager
def _directory(path: str) -> Iterator[_Directory]:
    """Open a directory: a path relative to it is resolved in fewer steps."""
    if not {os.open, os.mkdir} <= os.supports_dir_fd:
        yield _Directory(path, None)
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield _Directory(path, descriptor)
    finally:
        os.close(descriptor)


def write_new(path: str, data: bytes, *, secret: bool, directory: int | None = None) -> None:
    """Write a new file; a secret one is created with mode 0600.

    ``path`` is relative to ``directory``, a descriptor, if there is one.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags, 0o600 if secret else 0o644, dir_fd=directory)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
