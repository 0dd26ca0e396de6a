"""What there is to export to. A target is one function in a file of its own below ``targets``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from pkigen.export.draft import Draft

Write = TypeVar("Write", bound=Callable[[Draft], None])
_known: dict[str, Target] = {}


@dataclass(frozen=True)
class Target:
    """A format: its name, what it gives in one line, the templates that it renders.

    ``start`` is the command, run in the folder, that uses what was written. ``write`` puts all files
    of an export into a draft.
    """

    name: str
    says: str
    templates: tuple[str, ...]
    start: str
    write: Callable[[Draft], None]


def target(*templates: str, start: str = "") -> Callable[[Write], Write]:
    """Make a function a target: its name is the target's, its docstring's first line the words for it."""

    def register(write: Write) -> Write:
        says = (inspect.getdoc(write) or "").partition("\n")[0]
        if not says or write.__name__ in _known:
            raise ValueError(f"the target {write.__name__} is there twice, or has no docstring")
        _known[write.__name__] = Target(write.__name__, says, templates, start, write)
        return write

    return register


@cache
def _all() -> dict[str, Target]:
    """Every target: importing the files below ``targets`` makes them known."""
    from pkigen.export import targets

    for module in iter_modules(targets.__path__):
        import_module(f"{targets.__name__}.{module.name}")
    return dict(sorted(_known.items()))


class _Targets(Mapping[str, Target]):
    """The targets by name, found when somebody asks."""

    def __getitem__(self, name: str) -> Target:
        return _all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_all())

    def __len__(self) -> int:
        return len(_all())


TARGETS: Mapping[str, Target] = _Targets()
"""All targets by name."""
