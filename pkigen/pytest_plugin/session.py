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

from pkigen.api import build
from pkigen.clock import utc_now
from pkigen.documents import shipped
from pkigen.environment.build.expected_cases import ExpectedCase, expected_cases
from pkigen.environment.build.options import BuildOptions
from pkigen.environment.build.session import SEEDED_CLOCK
from pkigen.environment.environment import Environment, open_environment
from pkigen.errors import InputError, PkigenError
from pkigen.profile import Profile, load
from pkigen.pytest_plugin.locks import directory_lock
from pkigen.pytest_plugin.servers import PkiServer, Servers, choose_base_url

Source = str | Path | Mapping[str, Any]
"""A profile: its path below rootdir, the name of a shipped one, or the document itself."""

_FORESEEN = pytest.StashKey[dict[str, tuple[ExpectedCase, ...]]]()


def resolve_source(config: pytest.Config, source: Source) -> Path | Mapping[str, Any]:
    """A profile's file, below rootdir or a shipped one; a document stays as it is."""
    return source if isinstance(source, Mapping) else shipped.find(source, config.rootpath)


def profile_cases(config: pytest.Config, source: Source) -> tuple[ExpectedCase, ...]:
    """The cases of a profile, found out once in a process."""
    found = resolve_source(config, source)
    held = config.stash.setdefault(_FORESEEN, {})
    asked = _digest(found)
    if asked not in held:
        clock = SEEDED_CLOCK if config.getini("pki_seed") else utc_now()
        held[asked] = expected_cases(load(found, folder=config.rootpath), clock)
    return held[asked]


def open_session(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> PkiSession:
    """Create the session. Without pki_out, use a temporary directory of pytest."""
    temporary = tmp_path_factory.getbasetemp()
    worker: Mapping[str, object] = getattr(config, "workerinput", {})
    out = config.getini("pki_out")
    folder = config.rootpath / out if out else (temporary.parent if worker else temporary) / "pki"
    return PkiSession(config, folder, run=str(worker.get("testrunuid", "")))


@dataclass
class PkiSession:
    """Builds and serves below ``folder``; ``run`` is what the workers of one run have in common, if any."""

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
        """The environment of a profile. What is wrong with it fails the test, in pkigen's own words."""
        with _failing_test():
            return self._environment(source)

    def serve(self, environment: Environment) -> PkiServer:
        """The servers of an environment, started when they are first asked for."""
        with _failing_test():
            return self._servers.of(environment)

    def close(self) -> None:
        """End the servers; with pytest-xdist, when the other workers need this one's no more."""
        self._servers.close()

    def _environment(self, source: Source) -> Environment:
        """Built once; a document's is in a folder of its own, so that it may have any name."""
        found = resolve_source(self.config, source)
        asked = _digest(found)
        out = self.folder if isinstance(found, Path) else self.folder / asked[:8]
        name = load(found, folder=self.config.rootpath).name
        folder = out / name
        if folder not in self._built:
            with directory_lock(self._state):
                self._built[folder] = asked, self._made(found, out, name, asked)
        held, environment = self._built[folder]
        if held != asked:
            raise InputError(f"two profiles are named '{name}': their environments would be one")
        return environment

    def _made(self, source: Path | Mapping[str, Any], out: Path, name: str, asked: str) -> Environment:
        """Built by this worker, or by another one of this run before."""
        mark = self._state / f"{asked[:16]}.json"
        wanted = {"run": self.run, "profile": asked}
        with suppress(OSError, ValueError):
            if self.run and json.loads(mark.read_bytes()) == wanted:
                return open_environment(out / name)
        seed = self.config.getini("pki_seed") or None
        profile = self._profile(source, out / name, seeded=seed is not None)
        options = BuildOptions(seed=seed, keys="fresh" if seed else "pool", force=True)
        environment = build(profile, out, options)
        mark.write_text(json.dumps(wanted), "ascii")
        return environment

    def _profile(self, source: Path | Mapping[str, Any], folder: Path, *, seeded: bool) -> Profile:
        """With the address where it will be served; a seed wants the profile's own."""
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
