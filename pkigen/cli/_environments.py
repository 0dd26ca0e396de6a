"""Where the commands look for built environments."""

from __future__ import annotations

from pathlib import Path

OUT = Path("out")
"""The default directory of environments."""


def find_environment(path: Path | None) -> Path | None:
    """Return the directory of an environment that is given by its path, or by its name below ``out``."""
    if path is None or path.exists() or path.name != str(path):
        return path
    return OUT / path if (OUT / path).is_dir() else path
