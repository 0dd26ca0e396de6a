"""Finds the tests nearest to a module: those that mirror it, otherwise those that import it."""

from __future__ import annotations

import ast
from pathlib import Path

_FAR = {"browser", "clients", "lab", "matrix"}  # most of their tests start servers and third-party programs


def sources(root: Path, module: str) -> dict[str, Path]:
    """Return the files of a module, or of a package and everything below it, by module name."""
    path = root.joinpath(*module.split("."))
    if path.with_suffix(".py").is_file():
        return {module: path.with_suffix(".py")}
    files = sorted(path.rglob("*.py"))
    if not files:
        raise SystemExit(f"{module}: no such module below {root}; write it like pkigen.asn1.der")
    names = [
        ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for file in files
    ]
    return dict(zip(names, files, strict=True))


def nearest_tests(root: Path, module: str) -> list[Path]:
    """Return the test files that mirror a module or a package, or else those that import it.

    Those of a package are in the directory of its name, or beside those of the package that contains it, or
    have the names of its modules.
    """
    top, (*packages, last) = root / "tests", module.split(".")[1:]
    directory, modules = top.joinpath(*packages), sources(root, module)
    mirroring = _tests_below(directory / last)
    if not mirroring and len(modules) > 1 and directory != top:
        mirroring = sorted(directory.glob("test_*.py"))
    mirroring = mirroring or sorted({test for name in modules for test in _mirrors(root, name)})
    return mirroring or [path for path in _tests_below(top) if _imports(path, module)]


def _tests_below(directory: Path) -> list[Path]:
    paths = sorted(directory.rglob("test_*.py"))
    return [path for path in paths if _FAR.isdisjoint(path.relative_to(directory).parts)]


def _mirrors(root: Path, module: str) -> list[Path]:
    """Return the test files with the name of a module, in the nearest directory that has any."""
    *packages, last = module.split(".")[1:]
    directory = root.joinpath("tests", *packages)
    directories = [directory, *directory.parents][: len(packages) + 1]
    return next(filter(None, (sorted(one.glob(f"test_{last}*.py")) for one in directories)), [])


def _imports(path: Path, module: str) -> bool:
    """Return whether a file imports a module, or something from it or from below it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in getattr(node, "names", []) if isinstance(alias, ast.alias)]
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{name}" for name in names]
        if any(f"{name}.".startswith(f"{module}.") for name in names):
            return True
    return False
