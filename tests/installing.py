"""The requirements of an installed distribution, put into an environment that has no network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def add_requirements(of: str, folder: Path, site: Path) -> set[str]:
    """Copy what a distribution in ``folder`` requires, and what that requires, from this Python to ``site``.

    AssertionError when a requirement is not met here. Gives the names of what was copied.
    """
    (root,) = distributions(name=of, path=[str(folder)])
    result, open_ = dict[str, Distribution](), list(_required(root))
    while open_:
        expected = open_.pop()
        name = canonicalize_name(expected.name)
        content = result.setdefault(name, distribution(name))
        assert expected.specifier.contains(content.version, prereleases=True), (
            f"{expected}: {content.version} is here"
        )
        open_ += [
            one for one in _required(content, expected.extras) if canonicalize_name(one.name) not in result
        ]
    for one in result.values():
        _copy(one, site)
    return set(result)


def _required(of: Distribution, extras: set[str] | None = None) -> Iterator[Requirement]:
    for text in of.requires or ():
        requirement = Requirement(text)
        names = ("", *(extras or ()))
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": name}) for name in names):
            yield requirement


def _copy(one: Distribution, site: Path) -> None:
    """Every file of a distribution that lies in its site-packages; not its programs."""
    for file in one.files or ():
        if ".." in file.parts or "__pycache__" in file.parts:
            continue
        target = site.joinpath(*file.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(one.locate_file(file)), target)
