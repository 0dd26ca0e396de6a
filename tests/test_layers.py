"""Imports run downward only, without a circle; those for the type checker count as well.

Adding a module to ``pkigen`` means adding it to one of the rows below.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.tools import ROOT

# From the bottom to the top. Those of one row know nothing of each other.
ROWS = (
    ("errors", "junit", "os_errors", "renames", "sarif"),
    ("files", "plugins", "strict_json"),
    ("model",),
    ("clock", "asn1"),
    ("x509",),
    ("keys",),
    ("cases", "documents"),
    ("faults",),
    ("formats", "revocation"),
    ("profile",),
    ("inspection.artifacts",),
    ("inspection.path",),
    ("inspection.conversion",),
    ("inspection.description",),
    ("requirements",),
    ("store", "issue"),
    ("plan",),
    ("environment",),
    ("inspection.check",),
    ("inspection",),
    ("matrix", "report", "serve"),
    ("enrolment",),
    ("client", "lab", "export"),
    ("api",),
    ("pkigen",),
    ("cli", "pytest_plugin"),
    ("commit_hooks",),
    ("__main__",),
)
HEIGHT = {unit: height for height, row in enumerate(ROWS) for unit in row}

# A mistake made where certificates are made and where they are judged would hide itself.
BANS = {
    "inspection.check": ("pkigen.plan", "pkigen.faults", "pkigen.issue"),
    "matrix": ("pkigen.plan", "pkigen.faults", "pkigen.issue", "pkigen.inspection.path"),
    "cli": ("cryptography",),
}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {_name(path): path for path in sorted((ROOT / "pkigen").rglob("*.py"))}


def _unit(module: str) -> str:
    """The row entry that a module belongs to: the part after ``pkigen.``."""
    parts = module.split(".")[1:]
    return (
        next((unit for unit in (".".join(parts[:2]), parts[0]) if unit in HEIGHT), parts[0])
        if parts
        else module
    )


def imported(source: str, package: str, modules: frozenset[str]) -> Iterator[str]:
    """Every module that ``source`` imports, wherever in it; ``from p import m`` is ``p.m`` if that is one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            ancestor = package.rsplit(".", node.level - 1)[0] if node.level else ""
            base = ".".join(filter(None, (ancestor, node.module)))
            for alias in node.names:
                below = f"{base}.{alias.name}"
                yield below if below in modules else base


@cache
def _imports_of(module: str) -> frozenset[str]:
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return frozenset(imported(path.read_text("utf-8"), package, frozenset(MODULES)))


@cache
def _loaded_by(module: str) -> frozenset[str]:
    """Return the modules that ``import module`` imports directly, with the packages that contain them.

    Imports inside functions and for the type checker do not count: ``import module`` does not run them.
    """
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text("utf-8"))
    top_level = ast.Module([s for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)], [])
    names = imported(ast.unparse(top_level), package, frozenset(MODULES))
    parents = (".".join(name.split(".")[:end]) for name in names for end in range(1, name.count(".") + 2))
    return frozenset(parents) & MODULES.keys()


def _import_chain(module: str, banned: str) -> tuple[str, ...]:
    """Return the shortest chain of imports from a module to one of a banned package; () if there is none."""
    chains: list[tuple[str, ...]] = [(module,)]
    seen = {module}
    for chain in chains:
        if f"{chain[-1]}.".startswith(f"{banned}."):
            return chain
        new = sorted(_loaded_by(chain[-1]) - seen)
        seen.update(new)
        chains.extend((*chain, name) for name in new)
    return ()


def test_every_module_has_its_row() -> None:
    assert {_unit(module) for module in MODULES} <= HEIGHT.keys()


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward(module: str) -> None:
    unit = _unit(module)
    inner = {_unit(name) for name in _imports_of(module) if name.split(".")[0] == "pkigen"} - {unit}
    upward = sorted(other for other in inner if HEIGHT[other] >= HEIGHT[unit])
    assert not upward, f"{module} imports {', '.join(upward)}, which is not below {unit}"


def test_imports_have_no_cycles() -> None:
    graph = {module: _imports_of(module) & MODULES.keys() for module in MODULES}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail("imports in a circle: " + " -> ".join(reversed(error.args[1])), pytrace=False)


@pytest.mark.parametrize(
    ("module", "banned"),
    [(module, banned) for module in MODULES for banned in BANS.get(_unit(module), ())],
)
def test_forbidden_imports(module: str, banned: str) -> None:
    assert not [name for name in _imports_of(module) if f"{name}.".startswith(f"{banned}.")]


@pytest.mark.parametrize("banned", BANS["inspection.check"])
@pytest.mark.parametrize("module", [m for m in MODULES if _unit(m) == "inspection.check"])
def test_checking_does_not_load_a_banned_package_through_other_modules(module: str, banned: str) -> None:
    chain = _import_chain(module, banned)
    assert not chain, f"{module} must not load {banned}; remove one import of: {' -> '.join(chain)}"


def test_importing_the_checks_leaves_no_banned_module_loaded() -> None:
    banned = ("pkigen.faults", "pkigen.plan", "pkigen.issue")
    code = "import sys, pkigen.inspection.check, pkigen.requirements.demands; print(*sys.modules, sep='\\n')"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [name for name in output.split() if f"{name}.".startswith(tuple(f"{b}." for b in banned))] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import pkigen.store.index as index", "pkigen.store.index"),
        ("from pkigen import store", "pkigen.store"),
        ("from pkigen.store import Store", "pkigen.store"),
        ("def late():\n    from pkigen.store import Store", "pkigen.store"),
        ("if TYPE_CHECKING:\n    from pkigen.store import Store", "pkigen.store"),
        ("from ..store import Store", "pkigen.store"),
        ("from .. import store", "pkigen.store"),
        ("from . import sibling", "pkigen.plan"),
    ],
)
def test_every_form_of_an_import_is_detected(source: str, expected: str) -> None:
    assert list(imported(source, "pkigen.plan", frozenset({"pkigen", "pkigen.store"}))) == [expected]
