"""The digest of a file, as the index records it."""

from __future__ import annotations

import os
from hashlib import sha256

# Neither a link nor a pipe that took a file's place is followed or waited for.
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)
_PIECE = 65_536


def file_digest(path: str) -> str:
    """The SHA-256 of a file's contents in hexadecimal digits; OSError for what is no plain file.

    System calls without layers, and one small piece after the other: builds ask for thousands.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        piece = os.read(descriptor, _PIECE)
        digest = sha256(piece)
        while len(piece) == _PIECE:
            piece = os.read(descriptor, _PIECE)
            digest.update(piece)
        return digest.hexdigest()
    finally:
        os.close(descriptor)
