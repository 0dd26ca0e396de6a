"""An HTTPS server in a thread, with one port per appliance and a replaceable certificate."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.errors import EnvironmentFailure
from pkigen.serve.http.connections import Connections
from pkigen.serve.http.limits import MAX_INCOMPLETE_HEAD, RequestLimits
from pkigen.serve.http.server import Listener


class Endpoint:
    """A listener, and the context of connections to it: each is presented the credential of its time."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.context = _ReplaceableContext(ssl.PROTOCOL_TLS_SERVER)

    def present(self, context: ssl.SSLContext) -> None:
        """From the next connection on."""
        self.context.current = context


class _ReplaceableContext(ssl.SSLContext):
    """Stands for another context, which may change between two connections.

    Not by a callback for SNI: sessions are a context's own, and one of before would be resumed with the
    certificate of before.
    """

    current: ssl.SSLContext

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """TLS for one connection, as servers of asyncio ask for it."""
        return self.current.wrap_bio(*args, **kwargs)


_IDLE_SECONDS = 5
_STOP_SECONDS = 1
_START_SECONDS = 20.0
_MOST_OCTETS = 4 * 1024 * 1024
_HANDSHAKE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class HttpsSite:
    """What answers at a port; without a context in plain HTTP."""

    listener: Listener
    app: ASGIApp
    context: ssl.SSLContext | None = None


@contextmanager
def serve_sites(all_: Sequence[HttpsSite]) -> Iterator[asyncio.AbstractEventLoop]:
    """Serve until the block is left; gives the event loop of the server."""
    server = _Server(all_)
    thread = threading.Thread(target=server.run, name="pkigen-lab", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_SECONDS) or server.loop is None:
            raise EnvironmentFailure("the appliances did not start in time")
        yield server.loop
    finally:
        server.should_exit = True
        thread.join()


class _Server(uvicorn.Server):
    """uvicorn's, but for its beginning: each socket has a context of its own."""

    def __init__(self, all_: Sequence[HttpsSite]) -> None:
        connections = Connections()
        protocol: Any = connections.protocol  # typed as a class, but only ever called
        by_port = _ByPort({one.listener.port: one.app for one in all_})
        config = uvicorn.Config(
            RequestLimits(by_port, connections, max_body=_MOST_OCTETS),
            http=protocol,
            h11_max_incomplete_event_size=MAX_INCOMPLETE_HEAD,
            loop="asyncio",
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            log_config=None,
        )
        super().__init__(config)
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._hosted = all_
        self._connections = connections

    async def startup(self, sockets: Any = None) -> None:
        """Begin to listen everywhere."""
        await super().startup([])
        loop = asyncio.get_running_loop()
        for one in self._hosted:
            patience = None if one.context is None else _HANDSHAKE_SECONDS
            server = await loop.create_server(
                self._protocol, sock=one.listener.socket, ssl=one.context, ssl_handshake_timeout=patience
            )
            self.servers.append(server)
        self.loop = loop
        self.ready.set()

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop, and close every connection that is left."""
        self._connections.is_closing = True
        await super().shutdown(sockets)
        await self._connections.abort_all()

    def _protocol(self) -> asyncio.Protocol:
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


class _ByPort:
    """Requests go to the application of the port that they came to."""

    def __init__(self, apps: dict[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            await self._apps[scope["server"][1]](scope, receive, send)
