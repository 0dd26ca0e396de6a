"""The jobs of pkigen as functions: what the command line does, for Python programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pkigen.environment.build.options import BuildOptions, Progress, Summary
from pkigen.environment.environment import Environment, open_environment
from pkigen.profile import Profile
from pkigen.profile import load as _load

Source = str | Path | Mapping[str, Any] | Profile


def load(source: Source, *, base_url: str | None = None) -> Profile:
    """A profile from a path, a shipped profile's name or a mapping; InputError has every error.

    ``base_url`` stands in for that of the profile, if it is not loaded already.
    """
    return source if isinstance(source, Profile) else _load(source, base_url=base_url)


def build(
    source: Source,
    out: str | Path = "out",
    options: BuildOptions | None = None,
    progress: Progress | None = None,
) -> Environment:
    """Build the environment of a profile below ``out``, or bring it up to date."""
    from pkigen.environment.build.build import build as build_environment

    result = build_environment(load(source), Path(out), options, progress)
    return open_environment(result.folder)


def preview(source: Source, out: str | Path = "out", options: BuildOptions | None = None) -> Summary:
    """What ``build`` would issue, reissue, keep or prune, and why; nothing is written."""
    from pkigen.environment.build.dry_run import preview as preview_build

    return preview_build(load(source), Path(out), options)


@contextmanager
def serving(built: Environment | str | Path, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """The environment's HTTP stub in a thread, ended with the block; gives its base URL.

    Port 0 is any free one; certificates name the profile's ``base_url``, whatever port serves them.
    """
    from pkigen.serve import serve

    folder = built.folder if isinstance(built, Environment) else Path(built)
    with serve(folder, host=host, port=port) as url:
        yield url
