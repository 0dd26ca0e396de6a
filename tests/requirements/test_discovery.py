"""Kinds of demand are found without a list; an incomplete kind is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pkigen.requirements import Demand, demands
from pkigen.requirements.demand import demand
from pkigen.requirements.demands import KINDS
from tests.tools import ROOT


def test_every_class_of_a_module_is_a_registered_kind_with_a_field() -> None:
    directory = Path(demands.__file__ or "").parent
    modules = [import_module(f"{demands.__name__}.{path.stem}") for path in directory.glob("[a-z]*.py")]
    classes = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Demand) and value is not Demand
    }
    missing = classes - set(KINDS.values())
    assert not missing, f"add @demand (of pkigen.requirements.demand) to {missing}"


@pytest.mark.parametrize("name", ["kind", "field"])
def test_an_incomplete_kind_is_an_error_that_says_what_to_add(name: str) -> None:
    members = {"__module__": __name__, "kind": "incomplete", "field": None}
    del members[name]
    annotations = {key: ClassVar[Any] for key in members if key != "__module__"}
    cls = type("Incomplete", (Demand,), {**members, "__annotations__": annotations})
    with pytest.raises(
        TypeError, match=rf"Incomplete has no '{name}'; set it as described in pkigen.requirements.demand"
    ):
        demand(cls)


def test_a_second_kind_of_the_same_name_is_an_error() -> None:
    with pytest.raises(TypeError, match="the kind 'version' exists already"):
        demand(KINDS["version"])


def test_a_kind_of_another_distribution_is_found_by_its_entry_point(tmp_path: Path) -> None:
    (tmp_path / "other_kind.py").write_text(OTHER_KIND, encoding="utf-8")
    metadata = tmp_path / "other-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pkigen.demands]\nother = other_kind\n")
    code = "from pkigen.requirements.demands import KINDS; print(KINDS['other'].__module__)"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (result.stdout, result.stderr) == ("other_kind\n", "")


OTHER_KIND = """
from typing import ClassVar
from pkigen.requirements.demand import Demand, demand

@demand
class Other(Demand):
    kind: ClassVar[str] = "other"
    field: ClassVar[str | None] = None
"""
