"""The servers of a session: one HTTP stub for an environment, and TLS endpoints in each process."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pkigen.environment.environment import Case, Environment, open_environment
from pkigen.errors import EnvironmentFailure, InputError
from pkigen.pytest_plugin.locks import acquire_lock, directory_lock, is_locked
from pkigen.serve import serve, serve_tls
from pkigen.serve.tls.case_selection import CasesByHost
from pkigen.store.lock import Lock

_HERE = "127.0.0.1"
_WAIT = 600.0
_OWNER = "owner"
"""Name of the lock of the serving process."""


@dataclass(frozen=True)
class PkiServer:
    """The servers of an environment: ``url`` of the HTTP stub, and ``tls_port`` at 127.0.0.1.

    The certificates contain ``url``, unless the environment is seeded or ``pki_base_url`` is set.
    """

    environment: Environment
    url: str
    tls_port: int
    host: str = _HERE

    @cached_property
    def _names(self) -> CasesByHost:
        return CasesByHost.of(tuple(self.environment.cases()))

    @property
    def address(self) -> tuple[str, int]:
        """The address of the TLS endpoints, for ``socket.create_connection``."""
        return self.host, self.tls_port

    def url_of(self, case: Case) -> str:
        """Return the URL ``https://HOST:PORT/`` of a case; resolving HOST needs ``pki_dns``.

        Raises InputError if another case of the environment is presented for this host.
        """
        # Clients do not send a server name for an address.
        name = None if _is_address(case.host) else case.host.lower()
        presented = self._names.find(name, self.host)
        if presented.name != case.name:
            raise InputError(f"the host {case.host} of {case.name} presents {presented.name}")
        return f"https://{case.host}:{self.tls_port}/"


def _is_address(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def choose_base_url(folder: Path) -> str:
    """Return the URL for an environment: the last one if its port is free, else one with a free port."""
    try:
        before = open_environment(folder).base_url
    except InputError:
        before = ""
    port = _port_here(before)
    if port and _is_free(port):
        return before
    with socket.socket() as probe:
        probe.bind((_HERE, 0))
        return f"http://{_HERE}:{probe.getsockname()[1]}"


def _port_here(url: str) -> int | None:
    """Return the port of a URL on this machine without a path."""
    parts = urlsplit(url)
    try:
        here = ip_address(parts.hostname or "").is_loopback
    except ValueError:
        here = parts.hostname == "localhost"
    return (parts.port or 80) if here and parts.path in ("", "/") else None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HERE, port))
        except OSError:
            return False
    return True


@dataclass
class Servers:
    """Starts and stops the servers; if ``shared``, the first of several processes serves HTTP for all.

    The others hold a lock while they use it, and the first one waits for them: only one process can serve the
    port in the URLs of the certificates.
    """

    state: Path
    shared: bool
    _running: dict[Path, PkiServer] = field(default_factory=dict)
    _used: list[Lock] = field(default_factory=list)
    _owned: list[tuple[Path, ExitStack]] = field(default_factory=list)
    _endpoints: ExitStack = field(default_factory=ExitStack)

    def of(self, environment: Environment) -> PkiServer:
        """Return the servers of an environment; EnvironmentFailure if its port is in use."""
        folder = environment.folder
        if folder not in self._running:
            tls = self._endpoints.enter_context(serve_tls(folder))
            port = int(tls.rpartition(":")[2])
            self._running[folder] = PkiServer(environment, self._stub(environment), port)
        return self._running[folder]

    def close(self) -> None:
        """Stop the servers of this process; the HTTP stub when no other process uses it."""
        self._running.clear()
        self._endpoints.close()
        while self._used:
            self._used.pop().release()
        while self._owned:
            _end(*self._owned.pop())

    def _stub(self, environment: Environment) -> str:
        """Return the HTTP stub of this process or another one."""
        base_url = environment.base_url
        port = _port_here(base_url)
        users = self.state / f"users-{environment.folder.parent.name}-{environment.name}"
        stub = ExitStack()
        if port is None or not self.shared:
            try:
                url = stub.enter_context(serve(environment.folder, port=port or 0))
            except EnvironmentFailure as error:
                raise _taken(base_url) from error
            self._owned.append((users, stub))
            return url
        with directory_lock(users):
            self._used.append(acquire_lock(users / str(os.getpid())))
            if is_locked(users / _OWNER):
                return base_url
            try:
                stub.enter_context(serve(environment.folder, port=port))
            except EnvironmentFailure as error:
                raise _taken(base_url) from error
            stub.callback(acquire_lock(users / _OWNER).release)
            self._owned.append((users, stub))
        return base_url


def _end(users: Path, stub: ExitStack) -> None:
    """Stop a stub when no other process uses it, without a gap in which another could start to."""
    with stub:
        while True:
            with directory_lock(users):
                busy = next(filter(is_locked, _others(users)), None)
                if busy is None:
                    return stub.close()
            if is_locked(busy, _WAIT):
                return None


def _others(users: Path) -> list[Path]:
    """Return the locks of other processes."""
    own = {str(os.getpid()), _OWNER}
    return [path for path in users.iterdir() if path.is_dir() and path.name not in own]


def _taken(base_url: str) -> EnvironmentFailure:
    return EnvironmentFailure(
        f"{base_url}, to which the certificates point, cannot be served: another program has its port. "
        "The option pki_base_url names another address"
    )
