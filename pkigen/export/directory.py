"""Updates the directory of an export and leaves all other files in it unchanged.

A marker file lists each exported file with its possible digests. It is written before the files, so that
pkigen recognizes them after a crash, and again at the end.
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
from pkigen.os_errors import os_error_reason
from pkigen.store.layout import inside
from pkigen.strict_json import parse_json

MARKER = ".pkigen-export.json"
_FORMAT, _VERSION = "pkigen-export", 1


@dataclass(frozen=True)
class WrittenFiles:
    """Relative paths of the files that were written, were up to date, and were deleted."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class ExportDirectory:
    """The directory ``path`` with an export for one target; ``force`` also overwrites other files."""

    path: Path
    target: str
    force: bool = False
    _listed: dict[str, list[str]] = field(default_factory=dict)

    def update(self, files: Mapping[str, File]) -> WrittenFiles:
        """Write the files that differ and delete obsolete ones.

        Raises InputError, before anything is written, if a file must not be overwritten; EnvironmentFailure
        for a system error, or if a link leads out of the directory.
        """
        self._listed.update(self._read())
        digests = {path: _digest(file.data) for path, file in files.items()}
        there = {path: self._there(path) for path in {*files, *self._listed}}
        self._require_own_files(there, digests)
        stale = [
            path for path, file in files.items() if not self._is_current(there[path], digests[path], file)
        ]
        gone = sorted(path for path in self._listed.keys() - files.keys() if there[path] is not None)
        if stale or gone or self._listed != {path: [digest] for path, digest in digests.items()}:
            both = {path: sorted({*self._listed.get(path, ()), digests[path]}) for path in digests}
            self._make_directories(files)
            self._mark({**self._listed, **both})
            write([files[path] for path in stale], [self.path / path for path in stale])
            self._remove(gone)
            self._mark({path: [digest] for path, digest in digests.items()})
        return WrittenFiles(
            tuple(stale), tuple(path for path in files if path not in set(stale)), tuple(gone)
        )

    def _read(self) -> dict[str, list[str]]:
        """Return the files that the marker lists; none for a new or empty directory."""
        path = self.path / MARKER
        if path.is_symlink():
            raise InputError(f"{path} is a symbolic link; remove it, or choose another --out")
        if not path.exists():
            if self.path.exists() and not self.path.is_dir():
                raise InputError(f"{self.path} is not a directory; choose another --out")
            return {}
        try:
            marker = parse_json(path.read_bytes())
            known = marker["format"] == _FORMAT and marker["version"] == _VERSION
            if known and marker["target"] == self.target:
                return {str(name): list(map(str, digests)) for name, digests in marker["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path} is damaged; remove it, or choose another --out") from error
        other = visible(str(marker.get("target")))
        raise InputError(f"{self.path} contains an export to {other}; choose another --out")

    def _there(self, path: str) -> str | None:
        """Return the digest of an existing file; None if nothing exists, "" if it is not a regular file."""
        place = inside(self.path, path)
        if place.is_symlink() or (place.exists() and not place.is_file()):
            return ""
        with suppress(FileNotFoundError, NotADirectoryError):
            return _digest(place.read_bytes())
        return None

    def _require_own_files(self, there: Mapping[str, str | None], expected: Mapping[str, str]) -> None:
        problems = []
        for path, digest in sorted(there.items()):
            if digest is None or digest in self._listed.get(path, ()) or digest == expected.get(path):
                continue
            if digest == "":
                problems.append(f"{self.path / path} is not a regular file; choose another --out")
            elif not self.force:
                known = path in self._listed
                state = "was changed after the export" if known else "was not exported by pkigen"
                problems.append(f"{self.path / path} {state}; move it, or use --force to overwrite it")
        if problems:
            raise InputError([Problem(message) for message in problems])

    def _is_current(self, digest: str | None, expected: str, file: File) -> bool:
        """Return whether a file has the expected contents and, if it is secret, mode 0600."""
        if digest != expected:
            return False
        return not file.secret or os.name == "nt" or not (self.path / file.path).stat().st_mode & 0o077

    def _make_directories(self, files: Mapping[str, File]) -> None:
        """Create the directories; those with secret files get mode 0700."""
        self.path.mkdir(parents=True, exist_ok=True)
        secret = {file.path.rpartition("/")[0] for file in files.values() if file.secret} - {""}
        for path in sorted({file.path.rpartition("/")[0] for file in files.values()} - {""}):
            mode = 0o700 if path in secret else 0o755
            inside(self.path, f"{path}/x").parent.mkdir(mode=mode, parents=True, exist_ok=True)
            if path in secret:
                (self.path / path).chmod(mode)

    def _mark(self, digests: Mapping[str, list[str]]) -> None:
        marker = {"format": _FORMAT, "version": _VERSION, "target": self.target, "files": digests}
        data = json.dumps(marker, indent=1).encode() + b"\n"
        write([File(MARKER, data)], [inside(self.path, MARKER)])

    def _remove(self, gone: list[str]) -> None:
        for path in gone:
            try:
                (self.path / path).unlink(missing_ok=True)
            except OSError as error:
                raise EnvironmentFailure(
                    f"cannot delete {self.path / path}: {os_error_reason(error)}"
                ) from error
            with suppress(OSError):  # a directory with other files remains
                (self.path / path).parent.rmdir()


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()
