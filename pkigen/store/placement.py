"""Puts staged directories in place: atomic, recoverable after a kill, and without loss of foreign files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pkigen import renames
from pkigen.errors import EnvironmentFailure
from pkigen.store.entries import Entry
from pkigen.store.layout import REPLACED, STAGING, STATE, inside
from pkigen.store.staged_files import exchange, file_digest

_ASIDE = ".old"


@dataclass(frozen=True, slots=True)
class Placement:
    """Moves the directories of one environment. Every operation can be repeated after a kill."""

    environment: Path
    staging: Path = field(init=False)
    """The directory of staged and of replaced directories."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "staging", self.environment / STATE / STAGING)

    def place(self, entity_id: str, folder: str) -> bool:
        """Put a staged directory in place; return whether it replaced another, now in the staging area.

        If directories cannot be exchanged, there is a moment in which neither is in place; after a kill,
        ``complete`` finishes the operation.
        """
        target, staged = f"{self.environment}/{entity_id}", f"{self.staging}/{folder}"
        try:
            renames.rename(staged, target)
            return False
        except OSError:
            if not os.path.lexists(target):
                raise
        if os.path.islink(target) or not os.path.isdir(target):
            raise EnvironmentFailure(f"{target} is not a directory; move it away")
        if not exchange(staged, target):
            aside = f"{staged}{_ASIDE}"
            renames.rename(target, aside)
            try:
                renames.rename(staged, target)
            except OSError:
                renames.rename(aside, target)
                raise
        return True

    def complete(self, entry: Entry, folder: str) -> bool:
        """After a kill, put an entity's new directory in place if possible; return whether it is."""
        target, aside = self.environment / entry.id, self.staging / f"{folder}{_ASIDE}"
        if not os.path.lexists(target):
            if self._is_staged(entry, folder):
                renames.rename(self.staging / folder, target)
            elif aside.exists():
                renames.rename(aside, target)
                return False
        return self.is_placed(entry, folder)

    def is_placed(self, entry: Entry, folder: str) -> bool:
        """Return whether an entity's new directory is in place.

        Before the exchange, the staged directory contains exactly the entry's files; afterwards it contains
        the old directory, or does not exist. (If both are equal, it makes no difference.) The directory in
        place is less reliable: the user may have changed it since.
        """
        target = self.environment / entry.id
        return target.is_dir() and not target.is_symlink() and not self._is_staged(entry, folder)

    def settle(self, before: Entry | None, now: Entry, folder: str) -> str | None:
        """Move foreign files from an entity's old directory to the new one and delete the rest.

        Return a note for the user if a file had to be moved to .pkigen/replaced.
        """
        staged, target = f"{self.staging}/{folder}", f"{self.environment}/{now.id}"
        old = next(filter(os.path.exists, (f"{staged}{_ASIDE}", staged)), None)
        if old is None:
            return None
        foreign = _foreign(old, before)
        conflicting = [name for name in foreign if os.path.lexists(f"{target}/{name}")]
        for name in foreign:
            if name not in conflicting:
                renames.rename(f"{old}/{name}", f"{target}/{name}")
        note = self._keep_aside(now.id, [Path(old, name) for name in conflicting]) if conflicting else None
        _delete(old)
        return note

    def remove(self, entry: Entry) -> tuple[list[str], str | None]:
        """Delete an entity's recorded files; return the paths of foreign files, which stay, and a note.

        The note is for the user, if an altered file was moved to .pkigen/replaced. ``entry`` lists all
        recorded files, also those outside the entity's directory.
        """
        target = self.environment / entry.id
        if target.is_symlink():
            raise EnvironmentFailure(f"{target} is a symbolic link, which pkigen does not follow; remove it")
        recorded = _names(entry)
        remaining = _foreign(target, entry) if target.is_dir() else []
        altered = [target / name for name in remaining if name in recorded]
        note = self._keep_aside(entry.id, altered) if altered else None
        foreign = [name for name in remaining if name not in recorded]
        if not foreign and target.is_dir():
            removed = next(_unused(self.staging / entry.id.replace("/", ".")))
            renames.rename(target, removed)  # atomic, unlike deleting the files in place
            _delete(removed)
        for path, _ in entry.files:
            inside(self.environment, path).unlink(missing_ok=True)
        return [f"{entry.id}/{name}" for name in foreign], note

    def keep_aside(self, paths: Collection[Path]) -> str:
        """Move foreign files out of the way; return the note for the user."""
        where = self._move_aside("found", paths)
        return f"{_listed(paths)} existed before the build; moved to {where}"

    def clear(self) -> None:
        """Delete everything in the staging area.

        A worker of a killed build may still write there; the next call deletes those files.
        """
        for path in list(self.staging.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _keep_aside(self, entity_id: str, paths: Collection[Path]) -> str:
        where = self._move_aside(entity_id.replace("/", "."), paths)
        return f"{entity_id}: {_listed(paths)} was altered; moved to {where}"

    def _move_aside(self, name: str, paths: Collection[Path]) -> str:
        replaced = self.environment / STATE / REPLACED
        replaced.mkdir(mode=0o700, exist_ok=True)
        directory = next(_unused(replaced / name))
        directory.mkdir(mode=0o700)
        for path in paths:
            target = directory / path.name
            renames.rename(path, next(_unused(target)) if os.path.lexists(target) else target)
        return directory.relative_to(self.environment).as_posix()

    def _is_staged(self, entry: Entry, folder: str) -> bool:
        staged = self.staging / folder
        if not staged.is_dir() or _foreign(staged, entry):
            return False
        return {path.name for path in staged.iterdir()} == set(_names(entry))


def _names(entry: Entry) -> Mapping[str, str]:
    """Return the files in an entry's directory: name and SHA-256."""
    prefix = f"{entry.id}/"
    return {path[len(prefix) :]: digest for path, digest in entry.files if path.startswith(prefix)}


def _foreign(folder: Path | str, entry: Entry | None) -> list[str]:
    """Return the files of a directory that are not an entry's, or that were altered."""
    recorded = _names(entry) if entry else {}
    with os.scandir(folder) as items:
        return sorted(item.name for item in items if not _is_ours(item, recorded.get(item.name)))


def _is_ours(item: os.DirEntry[str], digest: str | None) -> bool:
    if digest is None or not item.is_file(follow_symlinks=False):
        return False
    return file_digest(item.path) == digest


def _delete(folder: Path | str) -> None:
    """Delete a directory of regular files; if it also contains others, delete only the regular files."""
    with os.scandir(folder) as items:
        for item in items:
            with suppress(IsADirectoryError, PermissionError):
                os.unlink(item.path)
    with suppress(OSError):
        os.rmdir(folder)


def _listed(paths: Collection[Path]) -> str:
    return ", ".join(sorted(path.name for path in paths))


def _unused(path: Path) -> Iterator[Path]:
    for number in range(1, 1_000_000):
        candidate = path.with_name(f"{path.name}.{number}")
        if not os.path.lexists(candidate):
            yield candidate
