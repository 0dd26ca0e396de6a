"""Staged folders into place: swapped at once, mended after a kill, nothing of others' lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.store.entries import Entry
from pkigen.store.staging import STAGING, STATE
from pkigen.store.swap import exchange

_ASIDE = ".old"
_REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Placer:
    """Works on the folders of one environment."""

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
        try:
            os.rename(f"{self.environment}/{STATE}/{STAGING}/{folder}", f"{self.environment}/{entity_id}")
            return False
        except OSError:
            target, staged = self.environment / entity_id, self.staging / folder
            if not target.exists() and not target.is_symlink():
                raise
        if target.is_symlink() or not target.is_dir():
            raise EnvironmentFailure(f"{target} is not a folder of pkigen's; move it away")
        if not exchange(staged, target):
            os.rename(target, f"{staged}{_ASIDE}")
            os.rename(staged, target)
        return True

    def complete(self, entry: Entry, folder: str) -> bool:
        """After a kill: whether the new folder is in place, or could be put there."""
        target, staged = self.environment / entry.id, self.staging / folder
        if not target.exists() and staged.is_dir():
            os.rename(staged, target)
        return self._is(target, entry)

    def settle(self, before: Entry | None, now: Entry, folder: str) -> str | None:
        """Rescue what is not ours from an entity's old folder and remove the rest.

        The note for the user, when something had to be kept aside.
        """
        old = self.staging / f"{folder}{_ASIDE}"
        if not old.exists():
            old = self.staging / folder
        if not old.exists():
            return None
        recorded = dict(before.files) if before else {}
        kept = [path for path in old.iterdir() if self._must_stay(path, before, recorded)]
        target = self.environment / now.id
        aside = [path for path in kept if (target / path.name).exists()]
        for path in kept:
            if path not in aside:
                os.rename(path, target / path.name)
        note = self._keep_aside(now, aside) if aside else None
        shutil.rmtree(old)
        return note

    def remove(self, entry: Entry) -> list[str]:
        """Delete an entity's recorded files; those of others stay, and are named."""
        target = self.environment / entry.id
        names = {path.rpartition("/")[2] for path, _ in entry.files if path.startswith(f"{entry.id}/")}
        if target.is_symlink():
            raise EnvironmentFailure(f"{target} is a link, and not followed; remove it")
        present = {path.name for path in target.iterdir()} if target.is_dir() else set()
        foreign = sorted(present - names)
        if not foreign and target.is_dir():
            gone = self.staging / entry.id.replace("/", ".")
            os.rename(target, gone)
            shutil.rmtree(gone)
        for path, _ in entry.files:
            (self.environment / path).unlink(missing_ok=True)
        return [f"{entry.id}/{name}" for name in foreign]

    def clear(self) -> None:
        """Delete whatever is left in the staging area."""
        for path in self.staging.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _must_stay(self, path: Path, before: Entry | None, recorded: Mapping[str, str]) -> bool:
        """Whether a file of an old folder is not ours, or no longer as we wrote it."""
        if before is None or path.is_symlink() or not path.is_file():
            return True
        digest = recorded.get(f"{before.id}/{path.name}")
        return digest is None or sha256(path.read_bytes()).hexdigest() != digest

    def _keep_aside(self, entry: Entry, paths: list[Path]) -> str:
        replaced = self.environment / STATE / _REPLACED
        replaced.mkdir(mode=0o700, exist_ok=True)
        folder = next(_unused(replaced / entry.id.replace("/", ".")))
        folder.mkdir(mode=0o700)
        for path in paths:
            os.rename(path, folder / path.name)
        where = folder.relative_to(self.environment).as_posix()
        names = ", ".join(sorted(path.name for path in paths))
        return f"{entry.id}: {names} was not as pkigen wrote it; what was there is kept in {where}"

    def _is(self, target: Path, entry: Entry) -> bool:
        """Whether a folder holds an entry's files."""
        own = [(path, digest) for path, digest in entry.files if path.startswith(f"{entry.id}/")]
        try:
            return (
                all(
                    sha256((self.environment / path).read_bytes()).hexdigest() == digest
                    for path, digest in own
                )
                and not target.is_symlink()
            )
        except OSError:
            return False


def _unused(path: Path) -> Iterator[Path]:
    for number in range(1, 1_000_000):
        candidate = path.with_name(f"{path.name}.{number}")
        if not candidate.exists():
            yield candidate
