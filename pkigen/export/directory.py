"""The folder of an export: what is ours in it is brought up to date, all else stays as it is.

A marker lists each file with the digests that we may have given it. It is written before the files, so
that after a crash they are known to be ours, and once more at the end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pkigen.errors import EnvironmentFailure, InputError, Problem, visible
from pkigen.inspection.conversion.write import write
from pkigen.model import File
from pkigen.store.layout import inside

MARKER = ".pkigen-export.json"
_FORMAT, _VERSION = "pkigen-export", 1


@dataclass(frozen=True)
class WrittenFiles:
    """Paths below the folder: what was written, what was so already, what was removed."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class ExportDirectory:
    """``path`` as an export for one target; ``force`` replaces files that were changed, or are others'."""

    path: Path
    target: str
    force: bool = False
    _held: dict[str, list[str]] = field(default_factory=dict)

    def bring_up_to_date(self, files: Mapping[str, File]) -> WrittenFiles:
        """Write what differs, remove what has gone.

        InputError, with nothing written, where something is in the way; EnvironmentFailure when the machine
        does not do it, or a link leads out of the folder.
        """
        self._held.update(self._read())
        digests = {path: _digest(file.data) for path, file in files.items()}
        there = {path: self._there(path) for path in {*files, *self._held}}
        self._must_be_ours(there, digests)
        stale = [path for path, file in files.items() if not self._is(there[path], digests[path], file)]
        gone = sorted(path for path in self._held.keys() - files.keys() if there[path] is not None)
        if stale or gone or self._held != {path: [digest] for path, digest in digests.items()}:
            both = {path: sorted({*self._held.get(path, ()), digests[path]}) for path in digests}
            self._make_folders(files)
            self._mark({**self._held, **both})
            write([files[path] for path in stale], [self.path / path for path in stale])
            self._remove(gone)
            self._mark({path: [digest] for path, digest in digests.items()})
        return WrittenFiles(
            tuple(stale), tuple(path for path in files if path not in set(stale)), tuple(gone)
        )

    def _read(self) -> dict[str, list[str]]:
        """What the marker lists; nothing in a folder that is new or empty."""
        path = self.path / MARKER
        if path.is_symlink():
            raise InputError(f"{path} is a link, and not followed; remove it, or take another --out")
        if not path.exists():
            if self.path.exists() and not self.path.is_dir():
                raise InputError(f"{self.path} is there and no folder; --out names another place")
            return {}
        try:
            marker = json.loads(path.read_bytes())
            known = marker["format"] == _FORMAT and marker["version"] == _VERSION
            if known and marker["target"] == self.target:
                return {str(name): list(map(str, held)) for name, held in marker["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is damaged; remove it, or take another --out") from error
        other = visible(str(marker.get("target")))
        raise InputError(f"{self.path} holds an export to {other}; --out names another place")

    def _there(self, path: str) -> str | None:
        """The digest of what is at a path; None for nothing, "" for what is no plain file."""
        place = inside(self.path, path)
        if place.is_symlink() or (place.exists() and not place.is_file()):
            return ""
        with suppress(FileNotFoundError, NotADirectoryError):
            return _digest(place.read_bytes())
        return None

    def _must_be_ours(self, there: Mapping[str, str | None], wanted: Mapping[str, str]) -> None:
        problems = []
        for path, digest in sorted(there.items()):
            if digest is None or digest in self._held.get(path, ()) or digest == wanted.get(path):
                continue
            if digest == "":
                problems.append(f"{self.path / path} is there and no plain file; --out names another place")
            elif not self.force:
                what = "was changed since" if path in self._held else "is not of an export"
                problems.append(f"{self.path / path} {what}; move it away, or let --force replace it")
        if problems:
            raise InputError([Problem(words) for words in problems])

    def _is(self, there: str | None, wanted: str, file: File) -> bool:
        """Whether a file is as it should be, a secret one with the mode of a secret too."""
        if there != wanted:
            return False
        return not file.secret or os.name == "nt" or not (self.path / file.path).stat().st_mode & 0o077

    def _make_folders(self, files: Mapping[str, File]) -> None:
        """Folders with a secret in them are for their owner alone."""
        self.path.mkdir(parents=True, exist_ok=True)
        secret = {file.path.rpartition("/")[0] for file in files.values() if file.secret} - {""}
        for path in sorted({file.path.rpartition("/")[0] for file in files.values()} - {""}):
            mode = 0o700 if path in secret else 0o755
            inside(self.path, f"{path}/x").parent.mkdir(mode=mode, parents=True, exist_ok=True)
            if path in secret:
                (self.path / path).chmod(mode)

    def _mark(self, held: Mapping[str, list[str]]) -> None:
        marker = {"format": _FORMAT, "version": _VERSION, "target": self.target, "files": held}
        data = json.dumps(marker, indent=1).encode() + b"\n"
        write([File(MARKER, data)], [inside(self.path, MARKER)])

    def _remove(self, gone: list[str]) -> None:
        for path in gone:
            try:
                (self.path / path).unlink(missing_ok=True)
            except OSError as error:
                raise EnvironmentFailure(f"{self.path / path} cannot be removed: {error.strerror}") from error
            with suppress(OSError):  # a folder with something else in it stays
                (self.path / path).parent.rmdir()


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
