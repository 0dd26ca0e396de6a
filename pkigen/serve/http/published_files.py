"""Finds and reads the files below ``www/``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from pkigen.errors import InputError
from pkigen.serve.http.metadata import PublishedMetadata, read_metadata

LARGEST_WHOLE = 16 * 1024 * 1024
"""Octets of the largest file that is read whole."""

MEDIA_TYPES = {
    ".crl": "application/pkix-crl",  # RFC 2585, 4.2
    ".crt": "application/pkix-cert",  # RFC 2585, 4.1
    ".cer": "application/pkix-cert",
    ".p7c": "application/pkcs7-mime",  # RFC 5280, 4.2.2.1
    ".pem": "application/x-pem-file",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}


Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was when it was opened, ``size`` octets.

    ``data`` is None for a file too large to be read whole: ``file`` is open for it then, and its reader
    closes it. ``headers`` are those of HTTP that only a change of the file changes, names in small letters.
    """

    size: int
    etag: str
    last_modified: str
    headers: tuple[Header, ...]
    data: bytes | None
    file: BinaryIO | None = None
    metadata: PublishedMetadata | None = None


def published_directory(www: Path) -> Path:
    """``www`` if it is a folder that may be served; InputError if not."""
    if www.is_symlink():
        raise InputError(f"{www} is a symbolic link: only a folder of the environment's own is served")
    if not www.is_dir():
        raise InputError(f"{www} is missing: build the environment first")
    return www


def find_file(www: Path, segments: Sequence[str]) -> Path | None:
    """The file that a URL's path segments name, or None.

    No path is ever made from what a client sent: each segment must be the very name of an entry
    of the folder reached so far, so that no spelling of ``..``, a separator, a drive or a device
    leads anywhere. Links are not followed, hidden files (a write under way) are not there.
    """
    place = www
    for depth, segment in enumerate(segments, start=1):
        with os.scandir(place) as entries:
            entry = next((e for e in entries if e.name == segment and _shown(e)), None)
        if entry is None or entry.is_dir(follow_symlinks=False) is (depth == len(segments)):
            return None
        place = Path(entry.path)
    return place if segments else None


def read_file(path: Path) -> Document:
    """The file's bytes, time and tag, all of the same instant; raises OSError.

    The tag is a strong validator (RFC 9110, 8.8.3), the same for the same bytes, and a weak one made of
    time and size for a file too large to be read whole.
    """
    file = os.fdopen(os.open(path, os.O_RDONLY | _AS_FOUND), "rb")
    try:
        status = os.fstat(file.fileno())
        data = file.read() if status.st_size <= LARGEST_WHOLE else None
    except BaseException:
        file.close()
        raise
    if data is None:
        return _document(path.suffix, status, f'W/"{status.st_mtime_ns:x}-{status.st_size:x}"', None, file)
    file.close()
    return _document(path.suffix, status, f'"{sha256(data).hexdigest()[:32]}"', data, None)


def _document(
    suffix: str, status: os.stat_result, etag: str, data: bytes | None, file: BinaryIO | None
) -> Document:
    modified = formatdate(int(status.st_mtime), usegmt=True)  # RFC 9110, 8.8.2
    headers = (
        (b"content-type", MEDIA_TYPES.get(suffix, "application/octet-stream").encode("ascii")),
        (b"etag", etag.encode("ascii")),
        (b"last-modified", modified.encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
    )
    size = status.st_size if data is None else len(data)
    metadata = None if data is None else read_metadata(suffix, data)
    return Document(size, etag, modified, headers, data, file, metadata)


def walk(www: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Every file that ``find`` can find, as its path below ``www/``, in order of names."""
    with os.scandir(www) as scan:
        entries = sorted(filter(_shown, scan), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from ((f"{entry.name}/{path}", stat) for path, stat in walk(Path(entry.path)))
        else:
            yield entry.name, entry.stat(follow_symlinks=False)


def _shown(entry: os.DirEntry[str]) -> bool:
    kind = entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
    return kind and not entry.name.startswith(".")


# O_BINARY is Windows', O_NOFOLLOW everyone else's; the link may have been put there after `find`.
_AS_FOUND = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
