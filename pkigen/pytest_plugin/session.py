"""The environments and servers of one test session, shared by the workers of pytest-xdist."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pkigen.api.build import build
from pkigen.api.environment import Environment, open_environment
from pkigen.clock import utc_now
from pkigen.documents import shipped
from pkigen.environment.build.expected_cases import ExpectedCase, expected_cases
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.build.session import SEEDED_CLOCK
from pkigen.errors import InputError, PkigenError
from pkigen.profile import Profile, load
from pkigen.pytest_plugin.locks import directory_lock
from pkigen.pytest_plugin.servers import PkiServer, Servers, choose_base_url

Source = str | Path | Mapping[str, Any]
"""A profile: a path below rootdir, the name of a shipped one, or a mapping."""

_FORESEEN = pytest.StashKey[dict[str, tuple[ExpectedCase, ...]]]()


def resolve_source(config: pytest.Config, source: Source) -> Path | Mapping[str, Any]:
    """Return the file of a profile; a mapping is returned unchanged."""
    return source if isinstance(source, Mapping) else shipped.find(source, config.rootpath)


def profile_cases(config: pytest.Config, source: Source) -> tuple[ExpectedCase, ...]:
    """Return the cases of a profile, cached per process."""
    resolved = resolve_source(config, source)
    cache = config.stash.setdefault(_FORESEEN, {})
    digest = _digest(resolved)
    if digest not in cache:
        clock = SEEDED_CLOCK if config.getini("pki_seed") else utc_now()
        cache[digest] = expected_cases(load(resolved, folder=config.rootpath), clock)
    return cache[digest]


def open_session(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> PkiSession:
    """Create the session. Without pki_out, use a temporary directory of pytest."""
    temporary = tmp_path_factory.getbasetemp()
    worker: Mapping[str, object] = getattr(config, "workerinput", {})
    out = config.getini("pki_out")
    folder = config.rootpath / out if out else (temporary.parent if worker else temporary) / "pki"
    return PkiSession(config, folder, run=str(worker.get("testrunuid", "")))


@dataclass
class PkiSession:
    """Builds and serves below ``folder``; ``run`` identifies the pytest-xdist run, if any."""

    config: pytest.Config
    folder: Path
    run: str
    _built: dict[Path, tuple[str, Environment]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        state = self.folder / ".pytest"
        state.mkdir(parents=True, exist_ok=True)
        self._state = state
        self._servers = Servers(state, shared=bool(self.run))

    def build(self, source: Source) -> Environment:
        """Return the environment of a profile; errors fail the test with pkigen's message."""
        with _failing_test():
            return self._environment(source)

    def serve(self, environment: Environment) -> PkiServer:
        """Return the servers of an environment, started on first use."""
        with _failing_test():
            return self._servers.of(environment)

    def close(self) -> None:
        """Stop the servers; with pytest-xdist, when no other worker uses them."""
        self._servers.close()

    def _environment(self, source: Source) -> Environment:
        """Build a profile once; that of a mapping gets its own directory, so that its name is free."""
        resolved = resolve_source(self.config, source)
        digest = _digest(resolved)
        out = self.folder if isinstance(resolved, Path) else self.folder / digest[:8]
        name = load(resolved, folder=self.config.rootpath).name
        folder = out / name
        if folder not in self._built:
            with directory_lock(self._state):
                self._built[folder] = digest, self._made(resolved, out, name, digest)
        built_digest, environment = self._built[folder]
        if built_digest != digest:
            raise InputError(
                f"two profiles have the name '{name}' and would share an environment; rename one"
            )
        return environment

    def _made(self, source: Path | Mapping[str, Any], out: Path, name: str, digest: str) -> Environment:
        """Build an environment, or open the one that another worker of this run has built."""
        mark = self._state / f"{digest[:16]}.json"
        expected = {"run": self.run, "profile": digest}
        with suppress(OSError, ValueError):
            if self.run and json.loads(mark.read_bytes()) == expected:
                return open_environment(out / name)
        seed = self.config.getini("pki_seed") or None
        profile = self._profile(source, out / name, seeded=seed is not None)
        options = BuildOptions(seed=seed, keys="fresh" if seed else "pool", force=True)
        environment = build(profile, out, options)
        mark.write_text(json.dumps(expected), "ascii")
        return environment

    def _profile(self, source: Path | Mapping[str, Any], folder: Path, *, seeded: bool) -> Profile:
        """Return the profile with the URL where it will be served; a seeded one keeps its own."""
        base_url = self.config.getini("pki_base_url") or None
        if base_url is None and not seeded:
            base_url = choose_base_url(folder)
        return load(source, folder=self.config.rootpath, base_url=base_url)


@contextmanager
def _failing_test() -> Iterator[None]:
    try:
        yield
    except PkigenError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _digest(source: Path | Mapping[str, Any]) -> str:
    if isinstance(source, Path):
        return sha256(str(source.resolve()).encode()).hexdigest()
    return sha256(json.dumps(source, sort_keys=True, default=str).encode()).hexdigest()
