"""Small profiles for the tests of builds, and helpers that summarize a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pkigen import build
from pkigen.environment.build.build import build as build_environment
from pkigen.environment.build.options import BuildOptions, BuildResult
from pkigen.profile import load

Document = dict[str, Any]


def small() -> Document:
    """A root, an issuing CA below it and three end entities, all on P-256."""
    return {
        "name": "small",
        "defaults": {"key": "ec-p256", "subject": {"O": "Test"}},
        "authorities": {
            "root": {"subject": {"CN": "Small Root"}},
            "issuing": {"issuer": "root", "subject": {"CN": "Small Issuing"}, "path_length": "0"},
        },
        "certificates": {
            "console": {"issuer": "issuing", "subject": {"CN": "console.test"}},
            "sensor-{01..02}": {"issuer": "issuing", "subject": {"CN": "{{ name }}.test"}},
        },
    }


def build_it(document: Document, out: Path, **options: Any) -> BuildResult:
    """Build a profile in the directory ``out``; ``force``, since a document may replace any authority."""
    options.setdefault("force", True)
    return build_environment(load(document), out, BuildOptions(**options))


def changes(result: BuildResult) -> dict[str, str]:
    """Return the action for each entity that changed, by name."""
    return {change.id.partition("/")[2]: change.action.value for change in result.summary.changes}


def reasons(result: BuildResult, name: str) -> str:
    """Return the reasons for the action for an entity."""
    changes_by_name = {change.id.partition("/")[2]: change for change in result.summary.changes}
    return "; ".join(changes_by_name[name].reasons)


def crls(result: BuildResult) -> set[str]:
    """Return the authorities whose CRL was published."""
    return {crl.authority for crl in result.summary.crls}


def manifest(folder: Path) -> Document:
    """The environment's manifest."""
    loaded: Document = json.loads((folder / "manifest.json").read_text())
    return loaded


def files(folder: Path) -> dict[str, bytes]:
    """Return the contents of every file of an environment except .pkigen, by path."""
    regular_files = (path for path in folder.rglob("*") if path.is_file())
    paths = {path.relative_to(folder).as_posix(): path for path in regular_files}
    return {name: path.read_bytes() for name, path in paths.items() if not name.startswith(".pkigen")}


__all__ = ["Document", "build", "build_it", "changes", "crls", "files", "manifest", "reasons", "small"]
