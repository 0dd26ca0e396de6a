"""An environment's folder, both ways: the only code that writes below ``out/``."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from pkigen.errors import EnvironmentFailure, InputError
from pkigen.store.durable import sync_all, sync_file, sync_folder
from pkigen.store.entries import Damage, Entry, Publication
from pkigen.store.failures import told
from pkigen.store.index import Index, connect
from pkigen.store.lock import Lock
from pkigen.store.placing import Placer
from pkigen.store.staging import STAGING, STATE

_FOLDERS = (
    ("authorities", 0o700),
    ("certificates", 0o700),
    ("www", 0o755),
    ("www/ca", 0o755),
    ("www/crl", 0o755),
)
_INDEX = "index.db"


class Store:
    """One environment, open. Use ``Store.open``; reading changes nothing and creates nothing."""

    def __init__(self, folder: Path, index: Index, lock: Lock | None) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self._index = index
        self._lock = lock
        self._placer = Placer(folder)

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether an environment was begun in a folder."""
        return (folder / STATE / _INDEX).is_file()

    @classmethod
    @contextmanager
    def open(cls, folder: Path, *, write: bool) -> Iterator[Store]:
        """Open an environment; for writing it is made if need be, locked, and mended after a kill.

        InputError when there is none to read; EnvironmentFailure for what the machine refuses.
        """
        if not write and not cls.exists(folder):
            raise InputError(f"{folder} is not a built environment")
        with told("open" if not write else "write", folder):
            lock = None
            if write:
                _make_folders(folder)
                lock = Lock(folder / STATE)
            try:
                store = cls(folder, Index(connect(folder / STATE / _INDEX, write=write)), lock)
                try:
                    if write:
                        store._recover()
                    yield store
                finally:
                    store._index.close()
            finally:
                if lock is not None:
                    lock.release()

    @property
    def index(self) -> Index:
        """What the environment knows of itself."""
        return self._index

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return self._lock is not None

    def damage(self, entry: Entry) -> tuple[Damage, ...]:
        """The recorded files of an entry that are missing or altered."""
        return self.damaged_files(entry.files)

    def damaged_files(self, files: Iterable[tuple[str, str]]) -> tuple[Damage, ...]:
        """Those of (path, SHA-256) that are missing or altered."""
        base, found = f"{self.folder}/", []
        for path, digest in files:
            try:
                with open(base + path, "rb", buffering=0) as file:  # thrice as fast, for thousands
                    if sha256(file.read()).hexdigest() != digest:
                        found.append(Damage(path, "altered"))
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                found.append(Damage(path, "missing"))
        return tuple(found)

    def publish(self, publications: Sequence[Publication]) -> None:
        """Put entities in place, each at once or not at all; durable when it returns."""
        if not publications:
            return
        sync_all((self._placer.staging / p.staged.folder for p in publications), self.folder)
        entries = [_with_files(publication) for publication in publications]
        before = self._index.get([entry.id for entry in entries])
        folders = [publication.staged.folder for publication in publications]
        self._index.begin_publishing(zip(entries, folders, strict=True))
        replacing = [
            (entry, folder)
            for entry, folder in zip(entries, folders, strict=True)
            if self._placer.place(entry.id, folder)
        ]
        for name in {entry.id.partition("/")[0] for entry in entries}:
            sync_folder(self.folder / name)
        for publication in publications:
            for file in publication.loose:
                self.write_loose(file.path, [file.data])
        for entry, folder in replacing:
            self._settle(before.get(entry.id), entry, folder)
        self._index.end_publishing()

    def write_loose(self, path: str, chunks: Iterable[bytes]) -> str:
        """Write a file that is not a secret at once or not at all; the SHA-256 of what was written."""
        draft = self._placer.staging / secrets.token_hex(12)
        digest = sha256()
        with draft.open("xb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
        sync_file(draft)
        target = self.folder / path
        os.replace(draft, target)
        sync_folder(target.parent)
        return digest.hexdigest()

    def write_if_changed(self, path: str, data: bytes) -> None:
        """The same, unless the file says so already."""
        target = self.folder / path
        if not target.is_file() or target.read_bytes() != data:
            self.write_loose(path, [data])

    def remove(self, entry: Entry) -> list[str]:
        """Delete what was recorded of an entity; paths of others' files in its folder, which stay."""
        crl = self._index.crl(entry.id)
        files = (*entry.files, *(crl.files if crl else ()))
        foreign = self._placer.remove(replace(entry, files=files))
        self._index.remove(entry.id)
        return foreign

    def _recover(self) -> None:
        """Finish or undo what a killed build had begun."""
        for entry, folder in self._index.journal():
            if self._placer.complete(entry, folder):
                before = self._index.get([entry.id]).get(entry.id)
                self._settle(before, entry, folder)
            else:
                self._index.forget_publishing(entry.id)
        self._index.end_publishing()
        self._placer.clear()

    def _settle(self, before: Entry | None, entry: Entry, folder: str) -> None:
        note = self._placer.settle(before, entry, folder)
        if note is not None:
            self.notes.append(note)


def _make_folders(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, mode in ((STATE, 0o700), (f"{STATE}/{STAGING}", 0o700), *_FOLDERS):
        path = folder / name
        if path.is_symlink():
            raise EnvironmentFailure(f"{path} is a link, and not followed; remove it")
        path.mkdir(mode=mode, exist_ok=True)


def _with_files(publication: Publication) -> Entry:
    """The publication's entry with the paths and digests of all its files."""
    entry = publication.entry
    own = tuple((f"{entry.id}/{name}", digest) for name, digest in publication.staged.files)
    loose = tuple((file.path, sha256(file.data).hexdigest()) for file in publication.loose)
    return replace(entry, files=own + loose)
