"""The packages that pkigen and its tests need: lowest versions, and the lock of the development packages."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.tools import ROOT, python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RUN_TIME = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = [
    Requirement(text)
    for texts in PROJECT["optional-dependencies"].values()
    for text in texts
    if not text.startswith("pkigen[")
]
LOCK = (ROOT / "requirements-dev.txt").read_text("utf-8")

FIXED = {
    "cryptography": "50.0.0",  # CVE-2026-69247; before: -69248, -69249, GHSA-537c-gmf6-5ccf
    "h11": "0.16.0",  # CVE-2025-43859
    "httpx": "0.23.0",  # CVE-2021-41945
    "jinja2": "3.1.6",  # CVE-2025-27516
    "pydantic": "2.4.0",  # CVE-2024-3772
    "pyopenssl": "26.0.0",  # CVE-2026-27448, CVE-2026-27459
    "pytest": "9.0.3",  # CVE-2025-71176
    "python-multipart": "0.0.31",  # CVE-2026-53538, -53539, -53540; before: -42561, -40347, -24486
    "pyyaml": "5.4",  # CVE-2020-14343
    "starlette": "1.3.1",  # CVE-2026-54282, -54283; before: -48710, -48817, -48818, CVE-2025-62727, -54121
    "uvicorn": "0.11.7",  # CVE-2020-7694, CVE-2020-7695
}
"""The first release without a known advisory."""


def _floor(requirement: Requirement) -> Version:
    (floor,) = (Version(entry.version) for entry in requirement.specifier if entry.operator == ">=")
    return floor


def _locked() -> dict[str, list[tuple[Version, str]]]:
    """Return the versions of each package in the lock (several, if markers select one) with their hashes."""
    result: dict[str, list[tuple[Version, str]]] = {}
    for name, version, rest in re.findall(r"^([\w.-]+)==([\w.+]+)((?:.*\\\n)*.*)$", LOCK, re.MULTILINE):
        result.setdefault(canonicalize_name(name), []).append((Version(version), rest))
    return result


@pytest.mark.parametrize("name", FIXED)
def test_the_lowest_version_has_no_known_advisory(name: str) -> None:
    floors = [_floor(entry) for entry in (*RUN_TIME, *EXTRAS) if canonicalize_name(entry.name) == name]
    assert min(floors) >= Version(FIXED[name]), f"pyproject.toml: {name} before {FIXED[name]} has an advisory"


def test_the_constraints_of_make_lowest_are_the_floors_of_pyproject() -> None:
    constraints = python(ROOT / "scripts" / "lowest_versions.py", ROOT / "pyproject.toml").split()
    expected = {entry.name: _floor(entry) for entry in RUN_TIME}
    assert {
        name: Version(version) for name, version in (line.split("==") for line in constraints)
    } == expected


def test_the_lock_has_every_package_in_a_version_that_pyproject_allows() -> None:
    locked = _locked()
    for requirement in (*RUN_TIME, *EXTRAS):
        versions = [version for version, _ in locked.get(canonicalize_name(requirement.name), [])]
        assert versions, f"requirements-dev.txt has no {requirement.name}; run: make lock"
        for version in versions:
            assert version in requirement.specifier, f"{requirement}: {version} is locked; run: make lock"


def test_every_package_of_the_lock_has_hashes_and_no_index_is_named() -> None:
    assert len(_locked()) > 90
    for name, entries in _locked().items():
        for _, rest in entries:
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", rest), f"requirements-dev.txt: {name} has no hash"
    assert "://" not in LOCK
    assert "-url" not in LOCK
