"""Reading files that a user names: bounded, and with words for what goes wrong."""

from __future__ import annotations

from pathlib import Path


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
