"""Finds extensions: the modules of a package of pkigen, and the entry points of installed distributions."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from pkigen.errors import InputError


def module_names(package: ModuleType) -> set[str]:
    """Return the names of the public modules of ``package``, without importing them."""
    return {module.name for module in pkgutil.iter_modules(package.__path__) if module.name[0] != "_"}


def import_modules(package: ModuleType, order: Iterable[str] = ()) -> tuple[ModuleType, ...]:
    """Import and return the public modules of ``package``: those in ``order`` first, the rest by name.

    A name in ``order`` that is not a module of the package has no effect, and a module does not have to
    be in it. A module whose name begins with an underscore is private and is not imported.
    """
    names = module_names(package)
    preferred = [name for name in dict.fromkeys(order) if name in names]
    ordered = [*preferred, *sorted(names.difference(preferred))]
    return tuple(import_module(f"{package.__name__}.{name}") for name in ordered)


def load_entry_points(group: str) -> Iterator[tuple[str, Any]]:
    """Load the entry points of ``group`` and yield each with its name, in the order of their names.

    Raises InputError with the name of the distribution if an entry point cannot be loaded: a plugin that is
    silently missing would be noticed only much later.
    """
    from importlib import metadata  # costs as much as all other start-up work of the command line

    for entry in sorted(metadata.entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        try:
            loaded = entry.load()
        except Exception as error:  # a plugin can raise anything while Python imports it
            origin = entry.dist.name if entry.dist else "unknown distribution"
            raise InputError(
                f"cannot load plugin '{entry.name}' ({entry.value}, from {origin}): {error}. "
                "Fix or uninstall the distribution."
            ) from error
        yield entry.name, loaded
