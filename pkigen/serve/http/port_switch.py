"""Stops listening on the server's port for a while: clients get "connection refused"."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn

from pkigen.errors import EnvironmentFailure
from pkigen.serve.http.connections import Connections

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

    def server(self, config: uvicorn.Config, connections: Connections) -> uvicorn.Server:
        """Return a server whose port this switch controls."""
        self._server = _Server(config, connections)
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


class _Server(uvicorn.Server):
    """A server that reports when it listens, and can stop listening for a while."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self._connections = connections
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._held: socket.socket | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening."""
        await super().startup(sockets)
        self.loop = asyncio.get_running_loop()
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, and release the port."""
        self.ready.clear()
        self._connections.is_closing = True
        await super().shutdown(sockets)
        await self._connections.abort_all()
        if self._held is not None:
            self._held.close()

    async def shut(self) -> None:
        """Stop listening, close idle connections, and keep the port bound."""
        listening = self.servers[0].sockets[0]
        family, kind, address = listening.family, listening.type, listening.getsockname()
        for server in self.servers:
            server.close()
        # Closed by the event loop in its own time.
        await asyncio.sleep(0)
        held = socket.socket(family, kind)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(sys.platform != "win32"))
        try:
            held.bind(address)
        except OSError:
            held.close()
            raise
        self._held = held
        self._connections.end_all()

    async def open(self) -> None:
        """Resume listening."""
        held, self._held = self._held, None
        assert held is not None
        await super().startup([held])
