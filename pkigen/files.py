"""Reads files that a user names, with a size limit, and writes files that only the user can read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pkigen.errors import EnvironmentFailure


def read_file(path: Path, most: int) -> bytes:
    """The contents of a file of at most ``most`` octets; ValueError says why they cannot be had."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path} cannot be read: {reason}") from error
    if len(data) > most:
        raise ValueError(f"{path} is larger than {most} bytes")
    return data


def put(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 in the place of one that may be there; EnvironmentFailure if it cannot be."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(aside, flags, 0o600), "wb") as file:
            file.write(data)
        os.replace(aside, path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise EnvironmentFailure(f"cannot write {path}: {error.strerror}") from error
