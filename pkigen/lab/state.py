"""Files that a lab keeps between two runs, and the passphrases of its keys."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pkigen.environment.environment import Case
from pkigen.errors import EnvironmentFailure
from pkigen.files import write_private_file
from pkigen.inspection.artifacts import read_passphrase
from pkigen.profile import Profile

FOLDER = ".pkigen/lab"


def already_running_error(environment: Path) -> EnvironmentFailure:
    """Says that an environment has its lab, and what to do."""
    return EnvironmentFailure(
        f"the lab of {environment} is already running; show it with `pkigen lab status {environment}`, "
        f"or stop it with `pkigen lab down {environment}`"
    )


class State:
    """Files by their names; nobody but the user may read them."""

    def __init__(self, environment: Path) -> None:
        self.folder = environment / FOLDER
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise EnvironmentFailure(f"cannot make {self.folder}: {error.strerror}") from error

    def path(self, name: str) -> Path:
        """Where a file is, or would be."""
        return self.folder / name

    def write(self, name: str, data: bytes) -> Path:
        """Put a file in the place of the one that was there, all at once."""
        path = self.path(name)
        write_private_file(path, data)
        return path

    def write_json(self, name: str, value: Any) -> None:
        """As ``write``."""
        self.write(name, json.dumps(value, indent=1).encode("utf-8"))

    def read_json(self, name: str) -> dict[str, Any]:
        """What was written; nothing where there is nothing, or what is there is damaged."""
        try:
            found = json.loads(self.path(name).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def remove(self, name: str) -> None:
        """Have it gone."""
        with suppress(OSError):
            self.path(name).unlink()


@dataclass(frozen=True, slots=True)
class Passphrases:
    """Those of certificates by name, and those of all authorities."""

    certificates: dict[str, bytes] = field(repr=False)
    authorities: tuple[bytes, ...] = field(repr=False)

    def of(self, case: Case) -> bytes | None:
        """What opens the key file of a certificate; None for one that is open."""
        if "passphrase" in case.data["files"]:
            return read_passphrase(case.file("passphrase"))
        return self.certificates.get(case.name)


def profile_passphrases(profile: Profile) -> Passphrases:
    """All that a profile says."""
    said = any("passphrase" in body.tree for body in profile.certificate_bodies)
    specs = profile.certificates() if said else ()
    held = {spec.name: spec.passphrase for spec in specs if spec.passphrase is not None}
    above = (spec.passphrase for spec in profile.authorities)
    return Passphrases(held, tuple(one for one in above if one is not None))
