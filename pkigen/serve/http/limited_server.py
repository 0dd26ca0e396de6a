"""The uvicorn server behind every HTTP and HTTPS port of pkigen, with limits on requests and connections."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from pkigen.serve.http.accepted_connection import stop_accepting
from pkigen.serve.http.access_log import AccessLog
from pkigen.serve.http.connections import Connections
from pkigen.serve.http.limits import MAX_BODY, MAX_INCOMPLETE_HEAD, RequestLimits

KEEP_ALIVE_SECONDS = 5


class LimitedServer(uvicorn.Server):
    """A server that limits requests and connections, and leaves no connection open when it stops.

    ``grace`` is how many seconds active requests have to finish when the server stops; ``max_body`` limits
    the bytes of a request body, and ``keep_alive`` is how many seconds an idle connection stays open.
    ``ready`` is set while the server listens.
    """

    def __init__(
        self,
        app: ASGIApp,
        log: AccessLog | None = None,
        *,
        grace: int,
        max_body: int = MAX_BODY,
        keep_alive: int = KEEP_ALIVE_SECONDS,
        log_config: dict[str, Any] | None = None,
    ) -> None:
        self.connections = Connections()
        protocol: Any = self.connections.protocol  # typed as a class, but only ever called
        super().__init__(
            uvicorn.Config(
                RequestLimits(app, self.connections, log, max_body=max_body),
                http=protocol,
                h11_max_incomplete_event_size=MAX_INCOMPLETE_HEAD,
                ws="none",
                lifespan="off",
                loop="asyncio",
                proxy_headers=False,
                server_header=False,
                access_log=False,
                timeout_keep_alive=keep_alive,
                timeout_graceful_shutdown=grace,
                log_config=log_config,
            )
        )
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening."""
        await self._listen(sockets)
        self.loop = asyncio.get_running_loop()
        self.ready.set()

    async def _listen(self, sockets: list[socket.socket] | None) -> None:
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, and close every connection, also one that was accepted at the last moment."""
        self.ready.clear()
        self.connections.is_closing = True
        await stop_accepting(self.servers)
        await super().shutdown(sockets)
        await self.connections.abort_all()
