"""Files that nobody but the user may read, put in their places whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from pkigen.errors import EnvironmentFailure


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
