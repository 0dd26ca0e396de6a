"""Finds and reads the files below ``www/``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from threading import Semaphore
from typing import BinaryIO

from pkigen.errors import InputError
from pkigen.serve.http.metadata import PublishedMetadata, read_metadata

MAX_WHOLE_BYTES = 16 * 1024 * 1024
"""Size of the largest file that is read as a whole."""

PIECE_BYTES = 256 * 1024
"""Size of the pieces in which a larger file is sent."""

# Each reader may hold MAX_WHOLE_BYTES in memory.
_READERS = Semaphore(4)
_MOST_REMEMBERED = 1024
_metadata = dict[tuple[str, str], PublishedMetadata | None]()

MEDIA_TYPES = {
    ".crl": "application/pkix-crl",  # RFC 2585, 4.2
    ".crt": "application/pkix-cert",  # RFC 2585, 4.1
    ".cer": "application/pkix-cert",
    ".p7c": "application/pkcs7-mime",  # RFC 5280, 4.2.2.1
    ".pem": "application/x-pem-file",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_KEY_FILES = {".key", ".pk8", ".p8", ".p12", ".pfx", ".jks"}
"""Files that contain private keys, in any format; none of them is published."""


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was when it was opened, ``size`` bytes; the receiver closes ``file``.

    ``headers`` are the HTTP headers that depend on the contents.
    """

    file: BinaryIO
    size: int
    headers: dict[str, str]
    metadata: PublishedMetadata | None


def published_directory(www: Path) -> Path:
    """Return ``www`` if it is a directory that may be served; raise InputError if not."""
    if www.is_symlink():
        raise InputError(f"{www} is a symbolic link; only a directory inside the environment is served")
    if not www.is_dir():
        raise InputError(f"{www} is missing; build the environment first")
    return www


def find_file(www: Path, segments: Sequence[str]) -> Path | None:
    """Return the file that the path segments of a URL name, or None.

    A path is never built from a client's input: each segment must equal the name of an entry of the
    directory reached so far, so that no spelling of ``..``, a separator, a drive or a device leads out.
    Links are not followed; hidden files (unfinished writes) do not exist.
    """
    place = www
    for depth, segment in enumerate(segments, start=1):
        with os.scandir(place) as entries:
            entry = next((e for e in entries if e.name == segment and _is_published(e)), None)
        if entry is None or entry.is_dir(follow_symlinks=False) is (depth == len(segments)):
            return None
        place = Path(entry.path)
    return place if segments else None


def read_file(path: Path) -> Document:
    """Open a file and read its metadata, all of the same instant; raises OSError, also for private keys.

    The entity tag is strong, the same for the same bytes (RFC 9110, 8.8.3); a file above MAX_WHOLE_BYTES has
    a weak one made of time and size, and no metadata.
    """
    file: BinaryIO = os.fdopen(os.open(path, os.O_RDONLY | _OPEN_FLAGS), "rb")
    try:
        status = os.fstat(file.fileno())
        size, metadata = status.st_size, None
        etag = f'W/"{status.st_mtime_ns:x}-{size:x}"'
        if size <= MAX_WHOLE_BYTES:
            with _READERS:
                data = file.read()
                if b"PRIVATE KEY-----" in data:
                    raise PermissionError(f"{path} contains a private key")
                size, etag = len(data), f'"{sha256(data).hexdigest()[:32]}"'
                metadata = _metadata_of(path.suffix, etag, data)
            file.seek(0)
            if size <= PIECE_BYTES:
                file.close()
                file = BytesIO(data)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Type": MEDIA_TYPES.get(path.suffix, "application/octet-stream"),
        "ETag": etag,
        "Last-Modified": formatdate(int(status.st_mtime), usegmt=True),  # RFC 9110, 8.8.2
        "X-Content-Type-Options": "nosniff",
    }
    return Document(file, size, headers, metadata)


def _metadata_of(suffix: str, etag: str, data: bytes) -> PublishedMetadata | None:
    """Return the metadata; the same bytes are parsed once, because a CRL may have many entries."""
    key = suffix, etag
    if key in _metadata:
        return _metadata[key]
    metadata = read_metadata(suffix, data)
    while len(_metadata) >= _MOST_REMEMBERED:
        _metadata.popitem()
    _metadata[key] = metadata
    return metadata


def walk(www: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield every file that ``find_file`` can return, as its path below ``www/``, sorted by name."""
    with os.scandir(www) as scan:
        entries = sorted(filter(_is_published, scan), key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from ((f"{entry.name}/{path}", stat) for path, stat in walk(Path(entry.path)))
        else:
            yield entry.name, entry.stat(follow_symlinks=False)


def _is_published(entry: os.DirEntry[str]) -> bool:
    kind = entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
    return kind and not entry.name.startswith(".") and Path(entry.name).suffix.lower() not in _KEY_FILES


# O_BINARY exists on Windows only, O_NOFOLLOW elsewhere; a link may have been created after `find_file`.
_OPEN_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
