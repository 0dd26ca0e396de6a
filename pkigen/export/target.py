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
_known_of_fleets: dict[str, Target] = {}


@dataclass(frozen=True)
class Target:
    """An export format: its name, a one-line description, and the templates that it renders.

    ``start`` is the command that uses the export, run in its directory. ``write`` adds all files to a draft.
    ``tls_port`` is the default TLS port. ``client_auth`` is set if the target can authenticate clients.
    """

    name: str
    says: str
    templates: tuple[str, ...]
    start: str
    write: Callable[[Draft], None]
    tls_port: int = 8443
    client_auth: bool = False


def target(
    *templates: str, start: str = "", tls_port: int = 8443, client_auth: bool = False
) -> Callable[[Write], Write]:
    """Register a function as a target: its name names the target, its docstring's first line describes it."""
    return _registration(_known, templates, start, tls_port, client_auth=client_auth)


def fleet_target(*templates: str, start: str = "") -> Callable[[Write], Write]:
    """Register a function as a target of fleets, as ``target``; an underscore in its name is a hyphen."""
    return _registration(_known_of_fleets, templates, start)


def _registration(
    known: dict[str, Target],
    templates: tuple[str, ...],
    start: str,
    tls_port: int = Target.tls_port,
    *,
    client_auth: bool = False,
) -> Callable[[Write], Write]:
    def register(write: Write) -> Write:
        says, name = (inspect.getdoc(write) or "").partition("\n")[0], write.__name__.replace("_", "-")
        if not says or name in known:
            raise ValueError(f"the target {name} is defined twice, or has no docstring")
        known[name] = Target(name, says, templates, start, write, tls_port, client_auth)
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


@cache
def _all_of_fleets() -> dict[str, Target]:
    from pkigen.export import fleet_targets

    import_modules(fleet_targets)
    return dict(sorted(_known_of_fleets.items()))


class _Targets(Mapping[str, Target]):
    """Targets by name, discovered on first use."""

    def __init__(self, discover: Callable[[], dict[str, Target]]) -> None:
        self._discover = discover

    def __getitem__(self, name: str) -> Target:
        return self._discover()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._discover())

    def __len__(self) -> int:
        return len(self._discover())


TARGETS: Mapping[str, Target] = _Targets(_all)
"""All targets by name."""
FLEET_TARGETS: Mapping[str, Target] = _Targets(_all_of_fleets)
"""All targets of fleets, for load tools, by name."""
