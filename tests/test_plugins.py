"""The discovery of extensions: modules of a package, and entry points of installed distributions."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pkigen.errors import InputError
from pkigen.plugins import import_modules, load_entry_points
from tests.tools import python


def _install(directory: Path, group: str, entry: str, source: str) -> None:
    """Write a distribution with one module, ``pluginmodule``, and one entry point."""
    (directory / "pluginmodule.py").write_text(source)
    info = directory / "example_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: example-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{entry}\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory on the import path, which the test installs a distribution in."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pluginmodule", raising=False)
    return tmp_path


def test_modules_are_imported_in_the_given_order_and_then_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "orderedpackage"
    package.mkdir()
    for name in ("__init__", "zebra", "apple", "mango", "_private"):
        (package / f"{name}.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    import orderedpackage  # type: ignore[import-not-found]

    modules = import_modules(orderedpackage, order=("mango", "absent"))
    assert [module.__name__.partition(".")[2] for module in modules] == ["mango", "apple", "zebra"]


def test_entry_points_of_a_group_are_loaded(installed: Path) -> None:
    _install(installed, "pkigen.example", "answer = pluginmodule:ANSWER", "ANSWER = 42\n")
    assert list(load_entry_points("pkigen.example")) == [("answer", 42)]
    assert list(load_entry_points("pkigen.other")) == []


def test_an_error_names_the_plugin_and_its_distribution(installed: Path) -> None:
    _install(installed, "pkigen.example", "broken = pluginmodule", "raise RuntimeError('no license')\n")
    with pytest.raises(InputError, match=r"'broken' \(pluginmodule, from example-plugin\): no license"):
        list(load_entry_points("pkigen.example"))


def test_a_validator_of_another_distribution_is_a_column_of_the_matrix(installed: Path) -> None:
    source = """
from pkigen.matrix.registry import register

class Example:
    name, looks_at, comes_with = "example", frozenset({"path"}), "example-plugin"
    def version(self): return None
    def judge(self, cases): return {}

EXAMPLE = register(Example())
"""
    _install(installed, "pkigen.validators", "example = pluginmodule", source)
    script = "from pkigen.matrix import VALIDATORS; print(*(column.name for column in VALIDATORS))"
    names = python("-c", script, environ={"PYTHONPATH": str(installed)}).split()
    assert names[:2] == ["openssl", "openssl-strict"]
    assert names[-1] == "example", "validators that the order does not list come last"
