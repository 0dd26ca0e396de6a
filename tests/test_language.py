"""Plain technical English: texts without the banned phrases, names that state their content.

``tests/language.py`` has the rules. A test fails with file, line, phrase and what to write instead.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import language
from tests.tools import ROOT

_ROOTS = ("pkigen", "tests", "benchmarks", "docgen", "fuzz", "scripts", "examples", "profiles", "docs")
_SELF = {ROOT / "tests" / "language.py", ROOT / "tests" / "test_language.py"}
_DATA = ("golden", "/data/", "docs/matrix.md", "observed.yaml", ".pem")


def _files() -> list[Path]:
    paths = [path for root in _ROOTS for path in (ROOT / root).rglob("*") if path.suffix in language.SUFFIXES]
    paths += [*ROOT.glob("*.md"), *ROOT.glob("*.yml")]
    return sorted(
        path
        for path in paths
        if path not in _SELF and not any(part in str(path) for part in (*_DATA, "__pycache__"))
    )


FILES = _files()


def _area(path: Path) -> str:
    """Return the directory that a test covers: two levels deep, e.g. ``pkigen/plan``."""
    return "/".join(path.relative_to(ROOT).parent.parts[:2]) or "."


AREAS = sorted({_area(path) for path in FILES})


def _report(violations: list[str]) -> None:
    if violations:
        pytest.fail(
            f"{len(violations)} violations of tests/language.py:\n" + "\n".join(violations), pytrace=False
        )


@pytest.mark.parametrize("area", AREAS)
def test_texts_avoid_the_banned_phrases(area: str) -> None:
    _report(
        [
            f"{path.relative_to(ROOT)}:{violation}"
            for path in FILES
            if _area(path) == area
            for violation in language.text_violations(path)
        ]
    )


@pytest.mark.parametrize("area", AREAS)
def test_names_state_their_content(area: str) -> None:
    _report(
        [
            f"{path.relative_to(ROOT)}:{violation}"
            for path in FILES
            if path.suffix == ".py" and _area(path) == area
            for violation in language.name_violations(path)
        ]
    )


def test_no_module_is_named_with_a_bare_gerund() -> None:
    stems = {
        path: path.stem.strip("_")
        for path in FILES
        if path.suffix == ".py" and _area(path).startswith("pkigen")
    }
    assert [
        str(path.relative_to(ROOT))
        for path, stem in stems.items()
        if stem.isalpha() and stem.endswith("ing") and stem not in language.GERUNDS
    ] == []
