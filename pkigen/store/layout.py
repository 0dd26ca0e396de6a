"""Where things lie in an environment's folder; nothing that is written leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pkigen.errors import EnvironmentFailure

STATE = ".pkigen"
STAGING = "staging"
REPLACED = "replaced"
INDEX = "index.db"

_FOLDERS = (
    (STATE, 0o700),
    (f"{STATE}/{STAGING}", 0o700),
    ("authorities", 0o700),
    ("certificates", 0o700),
    ("www", 0o755),
    ("www/ca", 0o755),
    ("www/crl", 0o755),
)
_WRITTEN = ("manifest.json", "trust.pem", "www/ca/*", "www/crl/*")


def make_folders(folder: Path) -> None:
    """Make an environment's folders, those that are missing; EnvironmentFailure for a link among them.

    ``folder`` itself may be one: that is for its owner to decide.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, mode in _FOLDERS:
        path = folder / name
        _refuse_link(path)
        path.mkdir(mode=mode, exist_ok=True)


def inside(folder: Path, path: str) -> Path:
    """``folder/path``, for a file that will lie in the environment and nowhere else.

    EnvironmentFailure for a path that leads out of it, by its parts or through a link.
    """
    parts = path.split("/")
    if "\\" in path or any(part in ("", ".", "..") or ":" in part for part in parts):
        raise EnvironmentFailure(f"{path!r} is not a path inside {folder}; nothing was written")
    for part in parts[:-1]:
        folder /= part
        _refuse_link(folder)
    return folder / parts[-1]


def in_the_way(folder: Path) -> Iterator[Path]:
    """Files that were in a folder before it became an environment, where a build writes its own."""
    for pattern in _WRITTEN:
        yield from folder.glob(pattern)


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise EnvironmentFailure(f"{path} is a link, and not followed; remove it")
