"""The files under ``www/``: found by name, read whole, described for HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path

from pkigen.errors import InputError

_MEDIA_TYPES = {
    ".crl": "application/pkix-crl",  # RFC 2585, 4.2
    ".crt": "application/pkix-cert",  # RFC 2585, 4.1
    ".cer": "application/pkix-cert",
    ".p7c": "application/pkcs7-mime",  # RFC 5280, 4.2.2.1
    ".pem": "application/x-pem-file",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}

# A cache asks each time before it uses what it has: a CRL can be published anew at any time.
_FRESHNESS = "no-cache"


@dataclass(frozen=True, slots=True)
class Document:
    """One file as it was when it was read; ``modified`` is seconds since 1970."""

    name: str
    data: bytes
    modified: float

    @property
    def etag(self) -> str:
        """A strong validator (RFC 9110, 8.8.3): the same bytes, the same tag."""
        return f'"{sha256(self.data).hexdigest()[:32]}"'

    @property
    def headers(self) -> dict[str, str]:
        """Everything HTTP says of the file but its length."""
        return {
            "Content-Type": _MEDIA_TYPES.get(Path(self.name).suffix, "application/octet-stream"),
            "ETag": self.etag,
            "Last-Modified": formatdate(int(self.modified), usegmt=True),
            "Cache-Control": _FRESHNESS,
        }


def published_folder(www: Path) -> Path:
    """``www`` if it is a folder that may be served; InputError if not."""
    if www.is_symlink():
        raise InputError(f"{www} is a symbolic link: only a folder of the environment's own is served")
    if not www.is_dir():
        raise InputError(f"{www} is missing: build the environment first")
    return www


def find(www: Path, segments: Sequence[str]) -> Path | None:
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


def read(path: Path) -> Document:
    """The file's bytes and time, both of the same instant; raises OSError."""
    with os.fdopen(os.open(path, os.O_RDONLY | _AS_FOUND), "rb") as file:
        return Document(path.name, file.read(), os.fstat(file.fileno()).st_mtime)


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
