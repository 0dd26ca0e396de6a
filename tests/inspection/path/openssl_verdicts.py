"""A verdict of validate() on files, and the files that most verdicts are about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pkigen.inspection.path import PathResult, validate
from tests.inspection.path.certificates import (
    Authority,
    Files,
    certificates,
    crls,
)
from tests.inspection.path.conftest import Made


def judged(files: Files) -> PathResult:
    """What validate() says of files."""
    (leaf,) = certificates(files.leaf)
    return validate(
        leaf,
        certificates(*files.chain),
        certificates(*files.trust),
        at=files.at,
        crls=crls(*(files.crls or ())),
        check_crls=files.crls is not None,
        host=files.host,
        purpose=files.purpose,  # type: ignore[arg-type]
        partial=files.partial,
    )


def sound(made: Made, **changed: Any) -> Files:
    return replace(Files(made.leaf, made.chain, made.trust), **changed)


def of(authority: Authority, leaf: Path, made: Made, **changed: Any) -> Files:
    """A leaf of another authority below the sound root."""
    return Files(leaf, (authority.certificate,), made.trust, **changed)
