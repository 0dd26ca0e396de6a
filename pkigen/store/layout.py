"""The layout of an environment's directory, and the check that no path leaves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pkigen.errors import EnvironmentFailure
from pkigen.files import PATH_PART, RELATIVE_PATH
from pkigen.model import Role

STATE = ".pkigen"
STAGING = "staging"
REPLACED = "replaced"
INDEX = "index.db"
UP_TO_DATE = "up-to-date.json"
"""The record of a build that leaves nothing to do, with everything that it depends on."""

DIRECTORIES = {
    STATE: 0o700,
    f"{STATE}/{STAGING}": 0o700,
    "authorities": 0o700,
    "certificates": 0o700,
    "www": 0o755,
    "www/ca": 0o755,
    "www/crl": 0o755,
}
"""The directories that every environment has, with their modes."""
is_relative = re.compile(RELATIVE_PATH).fullmatch
"""Whether a path stays inside the directory that it is relative to."""
is_entity = re.compile(f"(?:{'|'.join(Role)})/{PATH_PART}").fullmatch
"""Whether a text is the id of an entity: its directory, relative to the environment."""
is_file_name = re.compile(PATH_PART).fullmatch
_WRITTEN_BY_BUILDS = ("manifest.json", "trust.pem", "crls.pem", "www/ca/*", "www/crl/*")


def make_directories(folder: Path) -> None:
    """Create the missing directories of an environment; EnvironmentFailure if one is a symbolic link.

    ``folder`` itself may be a link, since the user chose it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, mode in DIRECTORIES.items():
        path = folder / name
        reject_link(path)
        path.mkdir(mode=mode, exist_ok=True)


def inside(folder: Path, path: str) -> Path:
    """Return ``folder/path``; EnvironmentFailure if the path leaves the environment, also by a link."""
    if not is_relative(path):
        raise EnvironmentFailure(f"{path!r} is not a path inside {folder}; nothing was written")
    parts = path.split("/")
    for part in parts[:-1]:
        folder /= part
        reject_link(folder)
    return folder / parts[-1]


def conflicting_files(folder: Path) -> Iterator[Path]:
    """Return existing files at paths that a build writes, in a directory that is not an environment yet."""
    for pattern in _WRITTEN_BY_BUILDS:
        yield from folder.glob(pattern)


def reject_link(path: Path) -> None:
    """Raise EnvironmentFailure if a path is a symbolic link."""
    if path.is_symlink():
        raise EnvironmentFailure(f"{path} is a symbolic link, which pkigen does not follow; remove it")
