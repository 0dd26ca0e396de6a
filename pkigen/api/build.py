"""Functions that do what the commands build, plan and serve do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import finalize

from pkigen.api.environment import Environment, open_environment
from pkigen.environment.build.options import BuildOptions, Progress, Summary
from pkigen.environment.environment import Environment as BuiltEnvironment
from pkigen.profile import Profile
from pkigen.profile import load as _load

Source = str | Path | Mapping[str, Any] | Profile


def load(source: Source, *, base_url: str | None = None) -> Profile:
    """Load a profile from a path, the name of a shipped profile, or a mapping.

    ``base_url`` overrides the profile's base URL, unless ``source`` is already a Profile. Raises
    InputError with every error in the profile.
    """
    return source if isinstance(source, Profile) else _load(source, base_url=base_url)


def build(
    source: Source,
    out: str | Path | None = None,
    options: BuildOptions | None = None,
    progress: Progress | None = None,
) -> Environment:
    """Build the environment of a profile in the directory ``out``, or update it.

    Without ``out``, the environment is in a temporary directory, which is removed when the result is no
    longer referenced or when the program ends. Raises InputError for errors in the profile, before anything
    is written, and EnvironmentFailure for errors of the system (disk full, permission denied, another build
    is running).
    """
    from pkigen.environment.build.build import build as build_environment

    profile = load(source)
    temporary = Path(mkdtemp(prefix="pkigen-")) if out is None else None
    try:
        result = build_environment(profile, temporary or Path(out or ""), options, progress)
        environment = open_environment(result.folder)
    except BaseException:
        if temporary is not None:
            rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        finalize(environment, rmtree, temporary, ignore_errors=True)
    return environment


def preview(source: Source, out: str | Path = "out", options: BuildOptions | None = None) -> Summary:
    """Return what ``build`` would issue, reissue, keep or prune, and why. Writes nothing."""
    from pkigen.environment.build.dry_run import preview as preview_build

    return preview_build(load(source), Path(out), options)


@contextmanager
def serving(built: BuiltEnvironment | str | Path, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Run the HTTP stub of an environment in a thread until the block ends; yield its base URL.

    Port 0 selects a free port. The URLs in the certificates contain the profile's ``base_url`` regardless
    of the port.
    """
    from pkigen.serve import serve

    folder = built.folder if isinstance(built, BuiltEnvironment) else Path(built)
    with serve(folder, host=host, port=port) as url:
        yield url
