"""The names of ``import pkigen``: each can be imported, is documented, and no module hides one."""

from __future__ import annotations

import inspect
import pkgutil
import re

import pytest

import pkigen
from tests.tools import ROOT, python


@pytest.mark.parametrize("name", pkigen.__all__)
def test_a_public_name_is_not_the_name_of_a_module(name: str) -> None:
    # The first import of a subpackage sets the attribute of that name, which would hide the function.
    assert name not in {module.name for module in pkgutil.iter_modules(pkigen.__path__)}


@pytest.mark.parametrize("name", pkigen.__all__)
def test_a_public_name_has_a_docstring_and_is_on_the_page(name: str) -> None:
    public = getattr(pkigen, name)
    assert inspect.getdoc(public)
    page = (ROOT / "docs" / "reference" / "python.md").read_text("utf-8")
    assert f"::: pkigen.{name}\n" in page, f"docs/reference/python.md: add ::: pkigen.{name}"


@pytest.mark.parametrize(
    "name", [name for name in pkigen.__all__ if inspect.isfunction(getattr(pkigen, name))]
)
def test_the_docstring_of_a_function_names_each_argument(name: str) -> None:
    function = getattr(pkigen, name)
    documentation = inspect.getdoc(function) or ""
    obvious = {"source", "options", "progress", "folder", "built", "host", "port", "temporary", "out"}
    arguments = inspect.signature(function).parameters.keys() - obvious
    assert [one for one in sorted(arguments) if not re.search(rf"``{one}``", documentation)] == []


def test_a_name_is_available_after_every_subpackage_was_imported() -> None:
    code = (
        "import pkigen, pkgutil, importlib\n"
        "[importlib.import_module(f'pkigen.{m.name}') for m in pkgutil.iter_modules(pkigen.__path__)"
        " if m.name != '__main__']\n"
        "print([n for n in pkigen.__all__ if type(getattr(pkigen, n)).__name__ == 'module'])"
    )
    assert python("-c", code).strip() == "[]"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'certificate_authority'"):
        _ = pkigen.certificate_authority
