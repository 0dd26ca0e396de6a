"""Reads and writes the directory of an environment. No other code writes to ``out/``."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pkigen import renames
from pkigen.errors import InputError
from pkigen.store.commit import Committer
from pkigen.store.entries import Damage, Entry, Publication
from pkigen.store.index import Index
from pkigen.store.layout import (
    INDEX,
    STATE,
    UP_TO_DATE,
    conflicting_files,
    inside,
    make_directories,
    reject_link,
)
from pkigen.store.lock import Lock
from pkigen.store.os_errors import os_errors_as_failures
from pkigen.store.placement import Placement
from pkigen.store.schema import connect, create
from pkigen.store.staged_files import file_digest, sync_directory, sync_file, write_new


class Store:
    """An open environment; see ``open``."""

    def __init__(self, folder: Path, index: Index, *, writable: bool) -> None:
        self.folder = folder
        self.index = index
        self.writable = writable
        self._placement = Placement(folder)
        self._committer = Committer(index, self._placement)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Return whether a directory contains an environment, complete or not."""
        with os_errors_as_failures("read", folder):
            try:
                (folder / STATE / INDEX).lstat()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    @classmethod
    @contextmanager
    def open(cls, folder: Path, *, write: bool, patience: float = 0) -> Iterator[Store]:
        """Open an environment. With ``write`` create it if necessary, lock it, and recover from a kill.

        ``patience`` is the time in seconds to wait for another writer. Without ``write`` nothing is created
        or changed, and the result of a killed build appears as the next build will find it. Raises
        InputError if there is no environment to read, and EnvironmentFailure for errors of the system,
        also while the environment is open.
        """
        if not write and not cls.exists(folder):
            raise InputError(f"{folder} is not a built environment")
        with os_errors_as_failures("write" if write else "read", folder):
            if write:
                make_directories(folder)
            lock = Lock(folder / STATE, patience) if write else None
            try:
                notes = _create_index(folder) if write else []
                index = Index(connect(folder / STATE / INDEX, write=write))
                try:
                    store = cls(folder, index, writable=write)
                    if write:
                        store.notes.extend(notes)
                        store._committer.recover()
                        store._placement.clear()
                    else:
                        store._committer.simulate_recovery()
                    yield store
                finally:
                    index.close()
            finally:
                if lock is not None:
                    lock.release()

    @property
    def notes(self) -> list[str]:
        """Messages for the user about files in the directory."""
        return self._committer.notes

    def damage(self, entry: Entry) -> tuple[Damage, ...]:
        """Return the recorded files of an entry that are missing or altered."""
        return self.damaged_files(entry.files)

    def damaged_files(self, files: Iterable[tuple[str, str]]) -> tuple[Damage, ...]:
        """Return the files, given as (path, SHA-256), that are missing or altered."""
        base, damage = f"{self.folder}/", list[Damage]()
        for path, digest in files:
            try:
                if file_digest(base + path) != digest:
                    damage.append(Damage(path, "altered"))
            except (FileNotFoundError, NotADirectoryError):
                damage.append(Damage(path, "missing"))
            except IsADirectoryError:
                damage.append(Damage(path, "altered"))
            except OSError:
                if not os.path.islink(base + path):
                    raise
                damage.append(Damage(path, "altered"))
        return tuple(damage)

    def index_digest(self) -> str | None:
        """Return the SHA-256 of the whole index; None while another process reads its log."""
        return index_digest(self.folder) if self.index.recorded.flush() else None

    def record_up_to_date(self, data: bytes) -> None:
        """Replace the record of the last build. It needs no flush: a damaged record is not used."""
        draft = self._placement.staging / secrets.token_hex(12)
        draft.write_bytes(data)
        renames.replace(draft, self.folder / STATE / UP_TO_DATE)

    def publish(self, publications: Sequence[Publication]) -> None:
        """Commit entities, each of them atomically; durable when the call returns.

        Their serial numbers must be reserved. Files in an entity's directory that pkigen did not write stay
        there. Altered files are moved to .pkigen/replaced, with a note.
        """
        if publications:
            self._committer.commit(publications)

    def write_loose(self, path: str, chunks: Iterable[bytes]) -> str:
        """Write a public file atomically and return its SHA-256."""
        digest = self.write_unless(path, chunks, lambda: False)
        assert digest is not None
        return digest

    def write_unless(
        self, path: str, chunks: Iterable[bytes], is_unchanged: Callable[[], bool]
    ) -> str | None:
        """Write a public file as above, unless ``is_unchanged`` returns true at the end of the chunks."""
        target = inside(self.folder, path)
        target.parent.mkdir(mode=0o755, exist_ok=True)
        draft = self._placement.staging / secrets.token_hex(12)
        digest = sha256()
        try:
            with draft.open("xb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            if is_unchanged():
                draft.unlink()
                return None
            sync_file(draft)
            renames.replace(draft, target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_directory(target.parent)
        return digest.hexdigest()

    def write_secret(self, path: str, data: bytes) -> None:
        """Write a file with mode 0600 atomically; its directory exists."""
        target = inside(self.folder, path)
        draft = self._placement.staging / secrets.token_hex(12)
        write_new(str(draft), data, secret=True)
        sync_file(draft)
        renames.replace(draft, target)
        sync_directory(target.parent)

    def read(self, path: str) -> bytes:
        """Return the contents of a file; raises EnvironmentFailure for a link, and OSError."""
        target = inside(self.folder, path)
        reject_link(target)
        return target.read_bytes()

    def write_if_changed(self, path: str, data: bytes) -> None:
        """Write a public file atomically, unless it already has this content."""
        if self.damaged_files([(path, sha256(data).hexdigest())]):
            self.write_loose(path, [data])

    def remove(self, entry: Entry) -> list[str]:
        """Delete an entity's recorded files; return the paths of other files in its directory, which stay.

        Altered files are moved to .pkigen/replaced, with a note.
        """
        crl = self.index.crl(entry.id)
        files = (*entry.files, *(crl.files if crl else ()))
        foreign, note = self._placement.remove(replace(entry, files=files))
        if note is not None:
            self.notes.append(note)
        for parent in {path.rpartition("/")[0] for path in (entry.id, *dict(files))}:
            if (self.folder / parent).is_dir():
                sync_directory(self.folder / parent)
        self.index.remove(entry.id)
        return foreign


def index_digest(folder: Path) -> str | None:
    """Return the SHA-256 of an environment's index; None if it is missing, or its log is not empty."""
    index = f"{folder}/{STATE}/{INDEX}"
    try:
        if os.path.exists(f"{index}-wal") and os.stat(f"{index}-wal").st_size:
            return None
        return file_digest(index)
    except OSError:
        return None


def _create_index(folder: Path) -> list[str]:
    """Create a missing index, and move existing files at paths of a build away; return notes."""
    index = folder / STATE / INDEX
    if os.path.lexists(index):
        return []
    paths = list(conflicting_files(folder))
    notes = [Placement(folder).keep_aside(paths)] if paths else []
    create(index)
    return notes
