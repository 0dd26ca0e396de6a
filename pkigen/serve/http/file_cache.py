"""Caches published files in memory, and reads a file again as soon as it has changed on disk."""

from __future__ import annotations

import os
import stat
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from pkigen.serve.http.published_files import Document, read_file

# The coarsest clock of a file system that is in use is FAT's: a file may be written twice within two
# seconds, by the same size and inode, and look the same.
_GRANULARITY_SECONDS = 2.0
_MOST_OCTETS = 64 * 1024 * 1024
_MOST_FILES = 16_384
# What an entry takes besides the file's octets, about.
_OVERHEAD = 2048


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A document, and the stat fingerprint (``look``) taken just before it was read.

    ``trusted``: the fingerprint is old enough that an equal one proves the file unchanged.
    """

    document: Document
    look: Hashable
    places: tuple[str, ...]
    since: float
    trusted: bool


class FileCache:
    """Documents below ``www`` by the file they were read from. Safe to call from several threads.

    Whether one still stands is told by stat: that of the file, and whether the folders on the way to it
    are the same ones. As in git's index, a look that is too young is not believed: until a file has
    looked the same for as long as the coarsest clock takes to tick, each request reads it anew. That is
    measured from when it was first seen and by a clock that nobody sets, so files that say they are of
    tomorrow, or of a server whose clock is wrong, are no exception.
    """

    def __init__(self, www: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._www = www
        self._monotonic = monotonic
        self._kept = OrderedDict[str, CachedFile]()
        self._octets = 0
        self._lock = Lock()

    def standing(self, path: str) -> CachedFile | None:
        """Return the cached file at a path from ``find_file`` if it is unchanged, without reading it."""
        with self._lock:
            kept = self._kept.get(path)
            if kept is None or not kept.trusted:
                return None
            self._kept.move_to_end(path)
        return kept if _look(kept.places) == kept.look else None

    def read(self, path: Path) -> CachedFile:
        """Return the file at a path from ``find_file``, from memory if unchanged; raises OSError.

        A file too large for the cache is open, and the caller closes it.
        """
        if (standing := self.standing(str(path))) is not None:
            return standing
        known = self._kept.get(str(path))
        places = self._places(path) if known is None else known.places
        now, look = self._monotonic(), _look(places)
        if look is None:
            raise FileNotFoundError(path)
        document = read_file(path)
        since, trusted = now, False
        if known is not None and known.look == look:
            since, trusted = known.since, now - known.since >= _GRANULARITY_SECONDS
        kept = CachedFile(document, look, places, since, trusted)
        if document.data is not None:
            self._keep(places[0], kept)
        return kept

    def _places(self, path: Path) -> tuple[str, ...]:
        """The file, and the folders from it up to ``www``."""
        folders = path.relative_to(self._www).parents
        return (str(path), *(str(self._www / folder) for folder in folders))

    def _keep(self, path: str, kept: CachedFile) -> None:
        with self._lock:
            before = self._kept.pop(path, None)
            if before is not None:
                self._octets -= _cost(before)
            self._kept[path] = kept
            self._octets += _cost(kept)
            while self._octets > _MOST_OCTETS or len(self._kept) > _MOST_FILES:
                self._octets -= _cost(self._kept.popitem(last=False)[1])


def _cost(kept: CachedFile) -> int:
    return kept.document.size + _OVERHEAD


def _look(places: tuple[str, ...]) -> Hashable:
    """Return the stat fingerprint of a file and its directories; None if one is missing.

    A directory's times change with every other file in it, so they are not part of the fingerprint.
    """
    try:
        file = os.lstat(places[0])
        found = [file.st_mode, file.st_mtime_ns, file.st_ctime_ns, file.st_size, file.st_ino, file.st_dev]
        for place in places[1:]:
            folder = os.lstat(place)
            if not stat.S_ISDIR(folder.st_mode):
                return None
            found += folder.st_mode, folder.st_ino, folder.st_dev
    except OSError:
        return None
    return tuple(found)
