"""Writes the files of a conversion: checks all of them first, and writes each atomically."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from pkigen import renames
from pkigen.errors import EnvironmentFailure, InputError, Problem
from pkigen.inspection.artifacts.read import STANDARD_INPUT
from pkigen.model import File
from pkigen.os_errors import os_error_reason

_SUFFIXES = {
    *(".bundle", ".cer", ".cert", ".chain", ".crl", ".crt", ".csr", ".der", ".jks", ".key", ".p12", ".p7b"),
    *(".p7c", ".pem", ".pfx", ".pkcs12", ".req"),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file to write: suffix, content, a description of the content; a secret file has mode 0600."""

    suffix: str
    data: bytes = field(repr=False)
    holds: str
    secret: bool = False


def targets(files: Sequence[Rendered], out: str, sources: Sequence[Path]) -> list[Path]:
    """Return the paths of the files; see ``ConversionOptions.out``."""
    stem = base_name(sources[0].name)
    if not out:
        return [Path(stem + file.suffix) for file in files]
    if Path(out).is_dir() or out.endswith(("/", os.sep)):
        return [Path(out) / (stem + file.suffix) for file in files]
    if len(files) == 1:
        return [Path(out)]
    path = Path(out)
    return [path.with_name(base_name(path.name) + file.suffix) for file in files]


def base_name(name: str) -> str:
    """Return a file name without the suffixes of certificates and keys; ``stdin`` for standard input."""
    if name == STANDARD_INPUT:
        return "stdin"
    while Path(name).suffix.lower() in _SUFFIXES:
        name = Path(name).stem
    return name


def check(paths: Sequence[Path], sources: Sequence[Path], *, force: bool) -> None:
    """Raise InputError with one line for each target that must not be overwritten, or cannot be a file."""
    problems = [Problem(words) for path in paths if (words := _objection(path, sources, force))]
    if problems:
        raise InputError(problems)


def _objection(path: Path, sources: Sequence[Path], force: bool) -> str:
    if not path.parent.is_dir():
        return f"{path} cannot be written: there is no directory {path.parent}"
    if not os.path.lexists(path):
        return ""
    if path.is_symlink() or not path.is_file():
        return f"{path} exists and is not a regular file; specify another path with --out"
    if any(source.exists() and path.samefile(source) for source in sources):
        return f"{path} is also a source and would be overwritten; specify another path with --out"
    return "" if force else f"{path} exists; use --force to replace it"


def write(files: Sequence[Rendered | File], paths: Sequence[Path]) -> None:
    """Write temporary files, then rename them, so that a target is never incomplete.

    Raises EnvironmentFailure for errors of the system, after deleting the temporary files.
    """
    drafts = [path.with_name(f".pkigen-{token_hex(8)}") for path in paths]
    at = 0
    try:
        for at, file in enumerate(files):
            _create(drafts[at], file.data, 0o600 if file.secret else 0o666)
        for at, path in enumerate(paths):
            renames.replace(drafts[at], path)
        for directory in {path.parent for path in paths}:
            _sync_directory(directory)
    except OSError as error:
        raise EnvironmentFailure(f"{paths[at]} cannot be written: {os_error_reason(error)}") from error
    finally:
        for temporary in drafts:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _create(path: Path, data: bytes, mode: int) -> None:
    """Create a file with its final mode, and flush it to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # Not every file system supports it; the files themselves are already on the disk.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
