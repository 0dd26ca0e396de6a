"""Files onto the disk: all checked before any is written, each whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from pkigen.errors import EnvironmentFailure, InputError, Problem
from pkigen.inspection.artifacts.read import STANDARD_INPUT
from pkigen.model import File

_ENDINGS = {
    *(".bundle", ".cer", ".cert", ".chain", ".crl", ".crt", ".csr", ".der", ".jks", ".key", ".p12", ".p7b"),
    *(".p7c", ".pem", ".pfx", ".pkcs12", ".req"),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file to write: its ending, its octets, what it holds in words; secret ones are mode 0600."""

    ending: str
    data: bytes = field(repr=False)
    holds: str
    secret: bool = False


def targets(files: Sequence[Rendered], out: str, sources: Sequence[Path]) -> list[Path]:
    """Where files go: ``out`` is a file, a folder or a base name; "" is the first source's name, here."""
    stem = base_name(sources[0].name)
    if not out:
        return [Path(stem + file.ending) for file in files]
    if Path(out).is_dir() or out.endswith(("/", os.sep)):
        return [Path(out) / (stem + file.ending) for file in files]
    if len(files) == 1:
        return [Path(out)]
    path = Path(out)
    return [path.with_name(base_name(path.name) + file.ending) for file in files]


def base_name(name: str) -> str:
    """Return a file's name without the endings of certificate and key files; ``stdin`` for standard input."""
    if name == STANDARD_INPUT:
        return "stdin"
    while Path(name).suffix.lower() in _ENDINGS:
        name = Path(name).stem
    return name


def check(paths: Sequence[Path], sources: Sequence[Path], *, force: bool) -> None:
    """InputError has one line for each target that must stay as it is, or cannot be a file."""
    problems = [Problem(words) for path in paths if (words := _objection(path, sources, force))]
    if problems:
        raise InputError(problems)


def _objection(path: Path, sources: Sequence[Path], force: bool) -> str:
    if not path.parent.is_dir():
        return f"{path} cannot be written: there is no folder {path.parent}"
    if not os.path.lexists(path):
        return ""
    if path.is_symlink() or not path.is_file():
        return f"{path} is there and no plain file; --out names another place"
    if any(source.exists() and path.samefile(source) for source in sources):
        return f"{path} is read from, and would be lost; --out names another place"
    return "" if force else f"{path} exists; --force replaces it"


def write(files: Sequence[Rendered | File], paths: Sequence[Path]) -> None:
    """Write beside the targets, then move over them: half a file never has its name.

    EnvironmentFailure when the machine does not do it; what was written beside is gone then.
    """
    beside = [path.with_name(f".pkigen-{token_hex(8)}") for path in paths]
    at = 0
    try:
        for at, file in enumerate(files):
            _create(beside[at], file.data, 0o600 if file.secret else 0o666)
        for at, path in enumerate(paths):
            os.replace(beside[at], path)
        for folder in {path.parent for path in paths}:
            _sync_folder(folder)
    except OSError as error:
        raise EnvironmentFailure(f"{paths[at]} cannot be written: {error.strerror}") from error
    finally:
        for temporary in beside:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _create(path: Path, data: bytes, mode: int) -> None:
    """A new file that has its mode from the first octet on, and is on the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # Not every file system can; the files themselves are safe already.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
