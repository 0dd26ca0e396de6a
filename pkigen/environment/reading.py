"""A built environment, read through its manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pkigen.errors import InputError


@dataclass(frozen=True, slots=True)
class Case:
    """One end-entity certificate of an environment; ``data`` is its object of the manifest."""

    folder: Path
    data: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """Its name in the profile."""
        return str(self.data["name"])

    @property
    def certificate(self) -> Path:
        """NAME.crt, PEM."""
        return self.file("certificate")

    @property
    def key(self) -> Path:
        """NAME.key, PEM."""
        return self.file("key")

    @property
    def chain(self) -> Path:
        """chain.pem: from the issuing CA up to and with the root."""
        return self.file("chain")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The DNS names and IP addresses it is for."""
        return tuple(self.data["hosts"])

    @property
    def accepted(self) -> bool:
        """Whether a strict validator accepts it at the build's clock, trusting trust.pem."""
        return bool(self.data["verdict"]["expected"] == "accept")

    def file(self, kind: str) -> Path:
        """The file of a kind that the manifest lists; KeyError when it has none."""
        return self.folder / str(self.data["files"][kind])


@dataclass(frozen=True, slots=True)
class Environment:
    """A folder that a build has made, and its manifest."""

    folder: Path
    manifest: dict[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """The profile's name."""
        return str(self.manifest["environment"])

    @property
    def trust(self) -> Path:
        """The trust anchors, PEM."""
        return self.folder / str(self.manifest["trust"])

    @property
    def www(self) -> Path:
        """What a web server may serve: CRLs and CA certificates."""
        return self.folder / "www"

    def cases(self) -> Iterator[Case]:
        """The end-entity certificates in the profile's order."""
        return (Case(self.folder, data) for data in self.manifest["cases"])

    def __getitem__(self, name: str) -> Case:
        """The case of a name; KeyError when there is none."""
        for case in self.cases():
            if case.name == name:
                return case
        raise KeyError(name)


def open_environment(folder: Path) -> Environment:
    """The environment in a folder; InputError when none was built there."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
    except OSError as error:
        raise InputError(f"{folder} is not a built environment: {error.strerror}: manifest.json") from error
    except ValueError as error:
        raise InputError(f"{folder / 'manifest.json'} is damaged; build the environment again") from error
    if not isinstance(manifest, dict) or manifest.get("format") != "pkigen-manifest":
        raise InputError(f"{folder / 'manifest.json'} is not a pkigen manifest")
    if manifest.get("version") != 1:
        raise InputError(f"{folder / 'manifest.json'} is of a later pkigen; use that one")
    return Environment(folder, manifest)
