"""Values that a shell completes: environments, certificates, profiles, faults, requirement sets, reasons.

Each function takes the incomplete word, and imports only what it needs: the shell waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from pkigen.cli._environments import OUT, find_environment

_LARGEST = 64 << 20
"""Manifests of more bytes are not read: a shell cannot show so many names."""


def complete_environment(incomplete: str) -> list[str]:
    """Return the built environments below ``out`` by name, and paths of directories."""
    names = [path.parent.name for path in sorted(OUT.glob("*/manifest.json"))]
    return _beginning(incomplete, names) + complete_path(incomplete, "")


def complete_certificate(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the certificates and CAs of the environment on the command line."""
    manifest = _manifest(ctx.params.get("env"))
    given = ctx.params.get("names") or ()
    names = [str(one["name"]) for kind in ("cases", "authorities") for one in manifest.get(kind, ())]
    return [name for name in _beginning(incomplete, names) if name not in given]


def complete_authority(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the CAs of the environment on the command line."""
    manifest = _manifest(ctx.params.get("env"))
    return _beginning(incomplete, [str(one["name"]) for one in manifest.get("authorities", ())])


def complete_fault(incomplete: str) -> list[str]:
    """Return fault IDs; of several with a plus sign, the last one is completed."""
    from pkigen.faults import FAULTS

    before, plus, last = incomplete.rpartition("+")
    return [f"{before}{plus}{name}" for name in _beginning(last, FAULTS)]


def complete_set(incomplete: str) -> list[str]:
    """Return the shipped requirement sets, and YAML files."""
    from pkigen.documents import shipped

    return _beginning(incomplete, shipped.requirement_sets()) + complete_path(incomplete, "*.y*ml")


def complete_reason(incomplete: str) -> list[str]:
    """Return the reason codes of RFC 5280."""
    from pkigen.model.revocation import REASON_CODES

    return _beginning(incomplete, REASON_CODES)


def complete_shipped_profile(incomplete: str) -> list[str]:
    """Return the shipped profiles."""
    from pkigen.documents import shipped

    return _beginning(incomplete, shipped.names())


def complete_profile(incomplete: str) -> list[str]:
    """Return the shipped profiles, and YAML files."""
    return complete_shipped_profile(incomplete) + complete_path(incomplete, "*.y*ml")


def complete_target(incomplete: str) -> list[str]:
    """Return the formats of exports."""
    from pkigen.export import FLEET_TARGETS, TARGETS

    return _beginning(incomplete, (*TARGETS, *FLEET_TARGETS))


def complete_path(incomplete: str, pattern: str) -> list[str]:
    """Return the files that match a pattern (none: no files), and the directories with a slash."""
    directory, prefix = Path(incomplete).parent, incomplete.rpartition("/")[2]
    if incomplete.endswith("/"):
        directory = Path(incomplete)
    files = [str(path) for path in directory.glob(pattern)] if pattern else []
    subdirectories = (
        [f"{path}/" for path in directory.iterdir() if path.is_dir()] if directory.is_dir() else []
    )
    return [path for path in sorted(files + subdirectories) if Path(path).name.startswith(prefix)]


def _beginning(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def _manifest(environment: Any) -> dict[str, Any]:
    """Return the manifest of an environment, or nothing: a completion has no error messages."""
    folder = find_environment(Path(environment)) if environment else None
    with suppress(OSError, ValueError):
        path = folder / "manifest.json" if folder else Path()
        if folder and path.stat().st_size <= _LARGEST:
            manifest = json.loads(path.read_bytes())
            return manifest if isinstance(manifest, dict) else {}
    return {}
