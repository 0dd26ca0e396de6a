"""Reads the files in a ZIP or tar archive, with limits on their number and their size."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from pkigen.errors import InputError
from pkigen.inspection.artifacts.artifact import Encoding

_MOST_MEMBERS = 1_000
_TAR_MAGIC, _TAR_MAGIC_AT = b"ustar", 257
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    LookupError,
)
"""What the two modules raise for damaged, encrypted and unsupported archives."""


def archive_type(data: bytes) -> Encoding | None:
    """Return the kind of an archive by its first bytes; None for other files."""
    if data.startswith(b"PK\x03\x04"):
        return Encoding.ZIP
    return Encoding.TAR if data[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC) else None


def members(data: bytes, encoding: Encoding, limit: int) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the files in an archive.

    InputError if the archive is damaged, or if its files have more than ``limit`` bytes together.
    """
    try:
        files = _of_zip(data, limit) if encoding is Encoding.ZIP else _of_tar(data)
        for number, (name, content) in enumerate(files):
            limit -= len(content)
            if number >= _MOST_MEMBERS or limit < 0:
                raise InputError("the archive is too large")
            yield name, content
    except _UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the archive cannot be read: {error}") from error


def _of_zip(data: bytes, limit: int) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                with archive.open(info) as file:
                    yield info.filename, file.read(limit + 1)


def _of_tar(data: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isreg() else None
            if file is not None:
                yield info.name, file.read()
