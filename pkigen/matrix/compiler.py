"""Compiles pkigen's programs in other languages, which are shipped as sources, on first use."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from pkigen.errors import EnvironmentFailure
from pkigen.matrix.run_program import run
from pkigen.os_errors import os_error_reason

SOURCES = Path(__file__).parent / "programs"
_COMPILING = 300
"""Timeout in seconds: Go also compiles its standard library the first time."""


def compiled(
    name: str,
    sources: Sequence[Path],
    command: Callable[[Path], Sequence[str | Path]],
    *key: str,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Return the output of a compiler for sources, cached by their digest and ``key``.

    ``command`` returns the command for an output path. Raises EnvironmentFailure if it fails.
    """
    digest = sha256("\0".join(key).encode())
    for path in sources:
        digest.update(path.read_bytes())
    made = _cache() / f"{name}-{digest.hexdigest()[:16]}"
    if made.exists():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="building-", dir=made.parent) as folder:
        fresh = Path(folder) / name
        try:
            done = run(*command(fresh), environ=environ, seconds=_COMPILING)
        except OSError as error:
            raise EnvironmentFailure(f"{name} cannot be compiled: {os_error_reason(error)}") from error
        if not done.succeeded:
            raise EnvironmentFailure(f"{name} cannot be compiled: {done.broken or done.err.strip()}")
        try:
            fresh.replace(made)
        except OSError:  # Another process was faster and created a directory.
            if not made.exists():
                raise
    return made


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pkigen"
