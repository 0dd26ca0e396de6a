"""The profiles and requirement sets shipped with pkigen, by name.

Profiles are next to the package in a checkout and inside it in a wheel; requirement sets are always inside.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from pathlib import Path

from pkigen.errors import InputError
from pkigen.files import MISSING, record_read

_PACKAGE = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Return the directory of the shipped profiles."""
    packaged = _PACKAGE / "_profiles"
    return packaged if packaged.is_dir() else _PACKAGE.parent / "profiles"


def names() -> tuple[str, ...]:
    """Return the names of the shipped profiles, sorted."""
    return tuple(sorted(path.stem for path in folder().glob("*.yaml")))


def path(name: str) -> Path:
    """Return the file of a shipped profile; raise InputError for an unknown name."""
    if name not in names():
        close = get_close_matches(name, names(), 1)
        hint = f" (did you mean '{close[0]}'?)" if close else f"; there are {', '.join(names())}"
        raise InputError(f"no shipped profile is called '{name}'{hint}")
    return folder() / f"{name}.yaml"


def find(source: str | Path, base: Path = Path()) -> Path:
    """Return the file for a path or a shipped name; a file overrides a name, a directory does not."""
    try:
        if (base / source).exists() and not ((base / source).is_dir() and str(source) in names()):
            return base / source
    except (OSError, ValueError) as error:
        raise InputError(f"{source!r} is not a path: {error}") from error
    if str(source) in names():
        record_read(base / source, MISSING)
        return path(str(source))
    close = get_close_matches(str(source), names(), 1)
    hint = f" (did you mean the shipped profile '{close[0]}'?)" if close else ""
    raise InputError(f"{base / source} does not exist{hint}")


def requirement_set_folder() -> Path:
    """Return the directory of the shipped requirement sets."""
    return _PACKAGE / "requirements" / "sets"


@cache
def requirement_sets() -> tuple[str, ...]:
    """Return the names of the shipped requirement sets, sorted."""
    return tuple(sorted(path.stem for path in requirement_set_folder().glob("*.yaml")))


def is_set_file(name: str) -> bool:
    """Return whether the name of a requirement set is a path."""
    return name.endswith((".yaml", ".yml"))
