"""An environment's folder, both ways: the only code that writes below ``out/``."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pkigen.errors import InputError
from pkigen.store.commit import Committer
from pkigen.store.entries import Damage, Entry, Publication
from pkigen.store.index import Index
from pkigen.store.layout import INDEX, STATE, in_the_way, inside, make_folders
from pkigen.store.lock import Lock
from pkigen.store.os_errors import os_errors_as_failures
from pkigen.store.placement import Placement
from pkigen.store.schema import connect, create
from pkigen.store.staging import file_digest, sync_file, sync_folder


class Store:
    """One environment, open. Use ``Store.open``; reading changes nothing and creates nothing."""

    def __init__(self, folder: Path, index: Index, *, writable: bool) -> None:
        self.folder = folder
        self.index = index
        self.writable = writable
        self._placer = Placement(folder)
        self._publisher = Committer(index, self._placer)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether an environment was begun in a folder."""
        with os_errors_as_failures("read", folder):
            try:
                (folder / STATE / INDEX).lstat()
            except (FileNotFoundError, NotADirectoryError):
                return False
            return True

    @classmethod
    @contextmanager
    def open(cls, folder: Path, *, write: bool, patience: float = 0) -> Iterator[Store]:
        """Open an environment; for writing it is made if need be, locked, and mended after a kill.

        ``patience`` is how many seconds to wait for another writer. Reading shows a killed build's work
        as the next one will find it. InputError when there is none to read; EnvironmentFailure for what
        the machine refuses, also while it is open.
        """
        if not write and not cls.exists(folder):
            raise InputError(f"{folder} is not a built environment")
        with os_errors_as_failures("write" if write else "read", folder):
            if write:
                make_folders(folder)
            lock = Lock(folder / STATE, patience) if write else None
            try:
                found = _move_away(folder) if write else []
                index = Index(connect(folder / STATE / INDEX, write=write))
                try:
                    store = cls(folder, index, writable=write)
                    if write:
                        store.notes.extend(found)
                        store._publisher.mend()
                        store._placer.clear()
                    else:
                        store._publisher.foresee()
                    yield store
                finally:
                    index.close()
            finally:
                if lock is not None:
                    lock.release()

    @property
    def notes(self) -> list[str]:
        """What the user has to be told of what was found in the folder."""
        return self._publisher.notes

    def damage(self, entry: Entry) -> tuple[Damage, ...]:
        """The recorded files of an entry that are missing or altered."""
        return self.damaged_files(entry.files)

    def damaged_files(self, files: Iterable[tuple[str, str]]) -> tuple[Damage, ...]:
        """Those of (path, SHA-256) that are missing or altered."""
        base, found = f"{self.folder}/", []
        for path, digest in files:
            try:
                if file_digest(base + path) != digest:
                    found.append(Damage(path, "altered"))
            except (FileNotFoundError, NotADirectoryError):
                found.append(Damage(path, "missing"))
            except IsADirectoryError:
                found.append(Damage(path, "altered"))
            except OSError:
                if not os.path.islink(base + path):
                    raise
                found.append(Damage(path, "altered"))
        return tuple(found)

    def publish(self, publications: Sequence[Publication]) -> None:
        """Put entities in place, each at once or not at all; durable when it returns.

        Serials must have been reserved before. Files in an entity's folder that the index does not
        know are carried over; recorded ones that somebody altered are kept aside, with a note.
        """
        if publications:
            self._publisher.publish(publications)

    def write_loose(self, path: str, chunks: Iterable[bytes]) -> str:
        """Write a file that is not a secret at once or not at all; the SHA-256 of what was written."""
        target = inside(self.folder, path)
        target.parent.mkdir(mode=0o755, exist_ok=True)
        draft = self._placer.staging / secrets.token_hex(12)
        digest = sha256()
        try:
            with draft.open("xb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            sync_file(draft)
            os.replace(draft, target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
        return digest.hexdigest()

    def write_if_changed(self, path: str, data: bytes) -> None:
        """The same, unless the file says so already."""
        if self.damaged_files([(path, sha256(data).hexdigest())]):
            self.write_loose(path, [data])

    def remove(self, entry: Entry) -> list[str]:
        """Delete what was recorded of an entity; paths of others' files in its folder, which stay.

        A recorded file that somebody altered is kept aside, with a note.
        """
        crl = self.index.crl(entry.id)
        files = (*entry.files, *(crl.files if crl else ()))
        foreign, note = self._placer.remove(replace(entry, files=files))
        if note is not None:
            self.notes.append(note)
        for parent in {path.rpartition("/")[0] for path in (entry.id, *dict(files))}:
            if (self.folder / parent).is_dir():
                sync_folder(self.folder / parent)
        self.index.remove(entry.id)
        return foreign


def _move_away(folder: Path) -> list[str]:
    """Make the index of a folder that has none; notes on what stood where a build writes its own."""
    index = folder / STATE / INDEX
    if os.path.lexists(index):
        return []
    paths = list(in_the_way(folder))
    notes = [Placement(folder).keep_aside(paths)] if paths else []
    create(index)
    return notes
