"""The registry of export targets. A target is one function in its own module below ``targets``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from pkigen.export.draft import Draft
from pkigen.plugins import import_modules, load_entry_points

Write = TypeVar("Write", bound=Callable[[Draft], None])
_known: dict[str, Target] = {}


@dataclass(frozen=True)
class Target:
    """An export format: its name, a one-line description, and the templates that it renders.

    ``start`` is the command that uses the export, run in its directory. ``write`` adds all files to a draft.
    """

    name: str
    says: str
    templates: tuple[str, ...]
    start: str
    write: Callable[[Draft], None]


def target(*templates: str, start: str = "") -> Callable[[Write], Write]:
    """Register a function as a target: its name names the target, its docstring's first line describes it."""

    def register(write: Write) -> Write:
        says = (inspect.getdoc(write) or "").partition("\n")[0]
        if not says or write.__name__ in _known:
            raise ValueError(f"the target {write.__name__} is defined twice, or has no docstring")
        _known[write.__name__] = Target(write.__name__, says, templates, start, write)
        return write

    return register


@cache
def _all() -> dict[str, Target]:
    """Import the modules below ``targets`` and those that other packages provide, and return every target."""
    from pkigen.export import targets

    import_modules(targets)
    for _ in load_entry_points("pkigen.targets"):
        pass
    return dict(sorted(_known.items()))


class _Targets(Mapping[str, Target]):
    """The targets by name, discovered on first use."""

    def __getitem__(self, name: str) -> Target:
        return _all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_all())

    def __len__(self) -> int:
        return len(_all())


TARGETS: Mapping[str, Target] = _Targets()
"""All targets by name."""
