"""Reads files that a user names, with a size limit, and writes files that only the user can read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pkigen.errors import EnvironmentFailure


def read_file(path: Path, limit: int) -> bytes:
    """Return the contents of a file of at most ``limit`` bytes; raises ValueError."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path} cannot be read: {reason}") from error
    if len(data) > limit:
        raise ValueError(f"{path} is larger than {limit} bytes")
    return data


def write_private_file(path: Path, data: bytes) -> None:
    """Write a file with mode 0600 and replace an existing one; raises EnvironmentFailure."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(draft, flags, 0o600), "wb") as file:
            file.write(data)
        os.replace(draft, path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise EnvironmentFailure(f"cannot write {path}: {error.strerror}") from error
