"""Staged folders into place: swapped at once, mended after a kill, nothing of others' lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.store.entries import Entry
from pkigen.store.layout import REPLACED, STAGING, STATE
from pkigen.store.staging import exchange, file_digest

_ASIDE = ".old"


@dataclass(frozen=True, slots=True)
class Placement:
    """Works on the folders of one environment. What it does can be done again after a kill."""

    environment: Path

    @property
    def staging(self) -> Path:
        """Where folders wait, and where old ones end."""
        return self.environment / STATE / STAGING

    def place(self, entity_id: str, folder: str) -> bool:
        """Put a staged folder where an entity's is; what was there waits in the staging area.

        Whether there was anything.

        Where folders cannot be exchanged, there is a moment in which neither is in place:
        ``complete`` then finishes it after a kill.
        """
        target, staged = f"{self.environment}/{entity_id}", f"{self.staging}/{folder}"
        try:
            os.rename(staged, target)
            return False
        except OSError:
            if not os.path.lexists(target):
                raise
        if os.path.islink(target) or not os.path.isdir(target):
            raise EnvironmentFailure(f"{target} is not a folder of pkigen's; move it away")
        if not exchange(staged, target):
            aside = f"{staged}{_ASIDE}"
            os.rename(target, aside)
            try:
                os.rename(staged, target)
            except OSError:
                os.rename(aside, target)
                raise
        return True

    def complete(self, entry: Entry, folder: str) -> bool:
        """After a kill: whether an entity's new folder is in place, or could be put there."""
        target, aside = self.environment / entry.id, self.staging / f"{folder}{_ASIDE}"
        if not os.path.lexists(target):
            if self._waits(entry, folder):
                os.rename(self.staging / folder, target)
            elif aside.exists():
                os.rename(aside, target)
                return False
        return self.is_placed(entry, folder)

    def is_placed(self, entry: Entry, folder: str) -> bool:
        """Whether an entity's new folder is in place.

        Until it has been swapped in, the staged folder holds the entry's files and nothing else. It
        does not afterwards: what is there then is the old folder, or nothing any more. (If the old
        one held the very same, it makes no difference.) The target tells less: its owner may have
        changed it since.
        """
        target = self.environment / entry.id
        return target.is_dir() and not target.is_symlink() and not self._waits(entry, folder)

    def settle(self, before: Entry | None, now: Entry, folder: str) -> str | None:
        """Rescue what is not ours from an entity's old folder and remove the rest.

        The note for the user, when something had to be kept aside.
        """
        staged, target = f"{self.staging}/{folder}", f"{self.environment}/{now.id}"
        old = next(filter(os.path.exists, (f"{staged}{_ASIDE}", staged)), None)
        if old is None:
            return None
        kept = _others(old, before)
        aside = [name for name in kept if os.path.lexists(f"{target}/{name}")]
        for name in kept:
            if name not in aside:
                os.rename(f"{old}/{name}", f"{target}/{name}")
        note = self._keep_aside(now.id, [Path(old, name) for name in aside]) if aside else None
        _delete(old)
        return note

    def remove(self, entry: Entry) -> tuple[list[str], str | None]:
        """Delete an entity's recorded files; the paths of others' files, which stay.

        Also the note for the user, when a recorded file was altered and is kept aside. ``entry`` has
        all files that are on record for it, wherever they lie.
        """
        target = self.environment / entry.id
        if target.is_symlink():
            raise EnvironmentFailure(f"{target} is a link, and not followed; remove it")
        recorded = _names(entry)
        kept = _others(target, entry) if target.is_dir() else []
        altered = [target / name for name in kept if name in recorded]
        note = self._keep_aside(entry.id, altered) if altered else None
        foreign = [name for name in kept if name not in recorded]
        if not foreign and target.is_dir():
            gone = next(_unused(self.staging / entry.id.replace("/", ".")))
            os.rename(target, gone)  # whole or not at all, here too
            _delete(gone)
        for path, _ in entry.files:
            (self.environment / path).unlink(missing_ok=True)
        return [f"{entry.id}/{name}" for name in foreign], note

    def keep_aside(self, paths: Collection[Path]) -> str:
        """Move files that are not ours out of the way; the note for the user."""
        where = self._move_aside("found", paths)
        return f"{_listed(paths)} stood where pkigen writes its own; what was there is kept in {where}"

    def clear(self) -> None:
        """Delete whatever is left in the staging area.

        A worker of a killed build may still be writing there: what that leaves goes the next time.
        """
        for path in list(self.staging.iterdir()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _keep_aside(self, entity_id: str, paths: Collection[Path]) -> str:
        where = self._move_aside(entity_id.replace("/", "."), paths)
        return f"{entity_id}: {_listed(paths)} was not as pkigen wrote it; what was there is kept in {where}"

    def _move_aside(self, name: str, paths: Collection[Path]) -> str:
        replaced = self.environment / STATE / REPLACED
        replaced.mkdir(mode=0o700, exist_ok=True)
        folder = next(_unused(replaced / name))
        folder.mkdir(mode=0o700)
        for path in paths:
            place = folder / path.name
            os.rename(path, next(_unused(place)) if os.path.lexists(place) else place)
        return folder.relative_to(self.environment).as_posix()

    def _waits(self, entry: Entry, folder: str) -> bool:
        staged = self.staging / folder
        if not staged.is_dir() or _others(staged, entry):
            return False
        return {path.name for path in staged.iterdir()} == set(_names(entry))


def _names(entry: Entry) -> Mapping[str, str]:
    """The files of an entry that lie in its folder: name and SHA-256."""
    prefix = f"{entry.id}/"
    return {path[len(prefix) :]: digest for path, digest in entry.files if path.startswith(prefix)}


def _others(folder: Path | str, entry: Entry | None) -> list[str]:
    """What in a folder is not an entry's, or no longer as it was written."""
    recorded = _names(entry) if entry else {}
    with os.scandir(folder) as found:
        return sorted(item.name for item in found if not _is_ours(item, recorded.get(item.name)))


def _is_ours(item: os.DirEntry[str], digest: str | None) -> bool:
    if digest is None or not item.is_file(follow_symlinks=False):
        return False
    return file_digest(item.path) == digest


def _delete(folder: Path | str) -> None:
    """Delete a folder of plain files; of one that somebody just put more into, those files alone."""
    with os.scandir(folder) as found:
        for item in found:
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
