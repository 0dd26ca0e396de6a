"""Stops listening on the server's port for a while: clients get "connection refused"."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.types import ASGIApp

from pkigen.errors import EnvironmentFailure
from pkigen.serve.http.accepted_connection import stop_accepting
from pkigen.serve.http.access_log import AccessLog
from pkigen.serve.http.limited_server import LimitedServer

_START_SECONDS = 10.0
_MOVE_SECONDS = 10.0


class PortSwitch:
    """Stops and resumes listening on the port of one server; clients get "connection refused" meanwhile.

    The port stays bound, so that no other program can take it. Call from another thread than the server's.
    """

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._lock = threading.Lock()
        self._shut = False

    def server(
        self, app: ASGIApp, log: AccessLog | None, *, grace: int, log_config: dict[str, Any] | None
    ) -> LimitedServer:
        """Return a server whose port this switch controls."""
        self._server = _Server(app, log, grace=grace, log_config=log_config)
        return self._server

    def set(self, *, shut: bool) -> None:
        """Stop or resume listening; raise EnvironmentFailure if that fails."""
        with self._lock:
            if shut == self._shut:
                return
            server = self._server
            if server is None or not server.ready.wait(_START_SECONDS):
                raise EnvironmentFailure("the server is not running, so its port cannot be closed")
            self._move(server, server.shut if shut else server.open)
            self._shut = shut

    def _move(self, server: _Server, move: Callable[[], Coroutine[Any, Any, None]]) -> None:
        doing = move()
        try:
            assert server.loop is not None
            asyncio.run_coroutine_threadsafe(doing, server.loop).result(_MOVE_SECONDS)
        except (OSError, RuntimeError, TimeoutError) as error:
            doing.close()
            raise EnvironmentFailure(f"cannot close or reopen the port: {error}") from error


class _Server(LimitedServer):
    """A server that can stop listening for a while and keep its port."""

    _reserved: socket.socket | None = None
    """A bound socket that does not listen, while the port is shut."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and release the port."""
        await super().shutdown(sockets)
        if self._reserved is not None:
            self._reserved.close()

    async def shut(self) -> None:
        """Stop listening, close idle connections, and keep the port bound."""
        listening = self.servers[0].sockets[0]
        family, kind, protocol = listening.family, listening.type, listening.proto
        address = listening.getsockname()
        await stop_accepting(self.servers)
        for server in self.servers:
            server.close()
        # Closed by the event loop in its own time.
        await asyncio.sleep(0)
        # With its protocol: asyncio disables Nagle's algorithm only where the socket says that it is TCP.
        reserved = socket.socket(family, kind, protocol)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(sys.platform != "win32"))
        try:
            reserved.bind(address)
        except OSError:
            reserved.close()
            raise
        self._reserved = reserved
        self.connections.end_all()

    async def open(self) -> None:
        """Resume listening."""
        reserved, self._reserved = self._reserved, None
        assert reserved is not None
        await super().startup([reserved])
