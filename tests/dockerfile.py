"""The Dockerfile, read: its stages with their instructions."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tools import ROOT

_CONTINUED = re.compile(r"\s*\\\n\s*")
Instruction = tuple[str, str]


def stages(path: Path = ROOT / "Dockerfile") -> list[list[Instruction]]:
    """Return the instructions of each stage, FROM first, without comments and the part before the stages."""
    text = re.sub(r"^#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE)
    result = list[list[Instruction]]()
    for line in filter(None, _CONTINUED.sub(" ", text).splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            result.append([])
        if result:
            result[-1].append((word, rest))
    return result


def copied(stage: list[Instruction]) -> list[tuple[list[str], str]]:
    """What a stage copies from the checkout: (sources, target)."""
    words = [rest.split() for word, rest in stage if word == "COPY" and not rest.startswith("--from")]
    return [(sources, target) for *sources, target in words]
