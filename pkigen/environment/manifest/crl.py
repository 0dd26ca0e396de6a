"""What the manifest says of an authority's CRLs, and what is at their URLs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pkigen.environment.crl.publish import crl_path, part_path
from pkigen.environment.published.publishers import CrlIssuer
from pkigen.store import CrlState, Revoked


def told(issuer: CrlIssuer, state: CrlState) -> dict[str, Any]:
    """The manifest's object of an authority's complete CRL and its parts."""
    asked = issuer.crl
    return {
        "url": asked.url,
        "file": crl_path(issuer),
        "number": state.number,
        "this_update": _iso(state.this_update),
        "next_update": _iso(state.next_update),
        "parts": [
            {"name": part.name, "url": asked.part_url(part), "file": part_path(issuer, part.name)}
            for part in asked.parts
        ],
    }


def published(folder: Path, issuer: CrlIssuer) -> dict[str, bytes]:
    """What is at the URLs of an authority's CRLs; no octets where a file is missing."""
    paths = {issuer.crl.url: crl_path(issuer)}
    paths |= {issuer.crl.part_url(part): part_path(issuer, part.name) for part in issuer.crl.parts}
    found = {url: folder / path for url, path in paths.items()}
    return {url: path.read_bytes() if path.is_file() else b"" for url, path in found.items()}


def revocation_of(held: Iterable[Revoked], certificate: tuple[str, int]) -> dict[str, str] | None:
    """The manifest's object of the revocation of one certificate (issuer id, serial), among ``held``."""
    for found in held:
        if (found.issuer_id, found.serial) == certificate:
            told = {"reason": found.reason, "at": _iso(found.at)}
            since = found.invalid_since
            return told if since is None else {**told, "invalid_since": _iso(since)}
    return None


def _iso(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"
