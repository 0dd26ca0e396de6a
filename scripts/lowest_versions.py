"""Prints the lowest version of each run-time dependency in pyproject.toml, as constraints for pip."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def lowest_versions(project: Path) -> list[str]:
    """Return ``NAME==VERSION`` for each dependency; ValueError for one that does not begin with ``>=``."""
    result = []
    for requirement in tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"]:
        match = re.match(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)(?:,|$)", requirement)
        if match is None:
            raise ValueError(f"{project}: '{requirement}' must state its lowest version, as in 'name>=1.2'")
        result.append(f"{match[1]}=={match[2]}")
    return result


if __name__ == "__main__":
    print("\n".join(lowest_versions(Path(sys.argv[1]))))
