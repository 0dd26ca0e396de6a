"""The public objects of a built environment, as an interactive session shows them."""

from __future__ import annotations

from pathlib import Path

import pkigen
from pkigen.environment.environment import Case, Environment


def test_two_cases_have_different_representations() -> None:
    case = Case(Path("out/demo"), {"name": "sensor-01"})
    other = Case(Path("out/demo"), {"name": "sensor-01.expired"})
    assert repr(case) != repr(other)
    assert repr(other) == f"Case({str(Path('out/demo'))!r}, 'sensor-01.expired')"


def test_an_environment_shows_its_name_and_not_its_manifest() -> None:
    manifest = {"environment": "demo", "cases": [{"name": "sensor-01"}]}
    assert repr(Environment(Path("out/demo"), manifest)) == f"Environment({str(Path('out/demo'))!r})"


def test_the_package_lists_its_public_names() -> None:
    assert set(pkigen.__all__) <= set(dir(pkigen))
    assert all(getattr(pkigen, name) is not None for name in pkigen.__all__)
