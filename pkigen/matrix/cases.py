"""The cases of a built environment, as validators take them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from pkigen.environment import Environment
from pkigen.matrix.validator import MatrixCase

_HOST = "host"
"""What stands for the asterisk of a wildcard in the name that is asked for."""


def cases_of(environment: Environment) -> tuple[MatrixCase, ...]:
    """Every end entity of an environment, judged at the build's clock.

    A case has its own anchors and the CRLs of its own path, so that nobody else's fault spoils it. It
    has its PKCS#12 file when there is one with the passphrase, for nobody could open it without.
    """
    authorities = {one["name"]: one for one in environment.manifest["authorities"]}
    at = datetime.fromisoformat(environment.manifest["clock"])
    return tuple(_case(environment.folder, found.data, authorities, at) for found in environment.cases())


def _case(folder: Path, data: dict[str, Any], authorities: dict[str, Any], at: datetime) -> MatrixCase:
    files = {kind: folder / path for kind, path in data["files"].items()}
    lists = (authorities[name]["crl"] for name in data["path"] if name in authorities)
    published = (folder / found["file"] for found in lists if found is not None)
    host = next(iter(data["hosts"]), None)
    return MatrixCase(
        name=data["name"],
        certificate=files["certificate"],
        chain=files.get("chain") if data["path"] else None,
        key=files.get("key"),
        pkcs12=files.get("p12") if "passphrase" in files else None,
        passphrase=files.get("passphrase"),
        anchors=tuple(folder / path for path in _anchors(data, authorities.values())),
        crls=tuple(path for path in published if path.is_file()),
        host=host.replace("*", _HOST, 1) if host and host.startswith("*.") else host,
        at=at,
    )


def _anchors(data: dict[str, Any], authorities: Iterable[dict[str, Any]]) -> list[str]:
    """What the case says, or the trusted ones of its path, or all that are trusted and sound."""
    if "trust" in data:
        return list(data["trust"])
    trusted = [one for one in authorities if one["trusted"]]
    own = [one for one in trusted if one["name"] in data["path"]]
    return [one["files"]["certificate"] for one in own or trusted if own or "fault" not in one]
