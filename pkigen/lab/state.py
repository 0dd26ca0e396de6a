"""Files that a lab stores between runs, and the passphrases of its keys."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from pkigen.environment.environment import Case
from pkigen.errors import EnvironmentFailure
from pkigen.files import remove_drafts, write_private_file
from pkigen.inspection.artifacts import read_passphrase
from pkigen.os_errors import os_error_reason
from pkigen.profile import Profile
from pkigen.store.lock import Lock
from pkigen.strict_json import parse_json

FOLDER = ".pkigen/lab"
TEMPORARY = ".new"
"""Suffix of files that exist only for a moment."""
STATE = "lab.json"
"""The file with the clock and the password."""


def already_running_error(environment: Path) -> EnvironmentFailure:
    """The message for an environment whose lab is already running."""
    return EnvironmentFailure(
        f"the lab of {environment} is already running; show it with `pkigen lab status {environment}`, "
        f"or stop it with `pkigen lab down {environment}`"
    )


class State:
    """The state files, which only the user can read."""

    def __init__(self, environment: Path) -> None:
        self.folder = environment / FOLDER
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(f"cannot make {self.folder}: {os_error_reason(error)}") from error

    def path(self, name: str) -> Path:
        """Return the path of a file."""
        return self.folder / name

    def write(self, name: str, data: bytes) -> Path:
        """Replace a file atomically."""
        path = self.path(name)
        write_private_file(path, data)
        return path

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file atomically."""
        self.write(name, json.dumps(value, indent=1).encode("utf-8"))

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file; an empty object if it is missing or damaged."""
        try:
            data = parse_json(self.path(name).read_bytes())
        except (OSError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def remove_temporary_files(self) -> None:
        """Delete temporary files of a lab that was killed; the caller holds the lock."""
        remove_drafts(self.folder)
        for path in self.folder.glob(f"*{TEMPORARY}"):
            self.remove(path.name)

    def remove(self, name: str) -> None:
        """Delete a file."""
        with suppress(OSError):
            self.path(name).unlink()


def acquire_lock(state: State) -> Lock:
    """Lock the state of a lab; EnvironmentFailure if the lab is running."""
    try:
        return Lock(state.folder)
    except EnvironmentFailure as error:
        if "is writing" not in str(error):
            raise
        raise already_running_error(state.folder.parent.parent) from error


def clock_offset(saved: Mapping[str, Any]) -> timedelta:
    """Return how far the clock of a lab is ahead of the machine's, from its saved state.

    Raises TypeError, ValueError or OverflowError for a corrupt state.
    """
    return timedelta(seconds=float(saved.get("ahead", 0.0)))


def saved_clock_offset(environment: Path) -> timedelta:
    """Return the saved clock offset of a lab that is not running; zero if there is none or it is corrupt."""
    if (environment / FOLDER).is_dir():
        with suppress(TypeError, ValueError, OverflowError):
            return clock_offset(State(environment).read_json(STATE))
    return timedelta()


def reset(environment: Path) -> bool:
    """Delete the saved state of a lab: clock, password, uploads, queued alerts; return whether there was any.

    Raises EnvironmentFailure if the lab is running, or a file cannot be deleted.
    """
    if not (environment / FOLDER).is_dir():
        return False
    state = State(environment)
    lock = acquire_lock(state)
    try:
        paths = [path for path in state.folder.iterdir() if not path.name.startswith("lock.")]
        for path in paths:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError as error:
        raise EnvironmentFailure(f"cannot delete {error.filename}: {os_error_reason(error)}") from error
    finally:
        lock.release()
    return bool(paths)


@dataclass(frozen=True, slots=True)
class Passphrases:
    """The passphrases of certificates by name, and those of all CAs."""

    certificates: dict[str, bytes] = field(repr=False)
    authorities: tuple[bytes, ...] = field(repr=False)

    def of(self, case: Case) -> bytes | None:
        """Return the passphrase of a certificate's key file; None if it is not encrypted."""
        if "passphrase" in case.data["files"]:
            return read_passphrase(case.file("passphrase"))
        return self.certificates.get(case.name)


def profile_passphrases(profile: Profile) -> Passphrases:
    """Return the passphrases of a profile."""
    has_passphrases = any("passphrase" in body.tree for body in profile.certificate_bodies)
    specs = profile.certificates() if has_passphrases else ()
    own = {spec.name: spec.passphrase for spec in specs if spec.passphrase is not None}
    above = (spec.passphrase for spec in profile.authorities)
    return Passphrases(own, tuple(one for one in above if one is not None))
