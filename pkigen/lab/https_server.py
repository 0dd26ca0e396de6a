"""An HTTPS server in a thread, with one port per appliance and a replaceable certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.errors import EnvironmentFailure
from pkigen.serve.http.limited_server import LimitedServer
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


_STOP_SECONDS = 1
_START_SECONDS = 20.0
_MAX_BODY = 4 * 1024 * 1024


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


class _Server(LimitedServer):
    """A server with one TLS context per socket."""

    def __init__(self, sites: Sequence[HttpsSite]) -> None:
        by_port = _ByPort({site.listener.port: site.app for site in sites})
        super().__init__(by_port, grace=_STOP_SECONDS, max_body=_MAX_BODY)
        self._sites = sites

    async def _listen(self, sockets: list[socket.socket] | None) -> None:
        await super()._listen([])
        loop = asyncio.get_running_loop()
        for site in self._sites:
            protocol = partial(self._protocol, site.context)
            self.servers.append(await loop.create_server(protocol, sock=site.listener.socket))

    def _protocol(self, context: ssl.SSLContext | None) -> asyncio.Protocol:
        return self.connections.protocol(
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            tls_context=context,
        )


class _ByPort:
    """Requests go to the application of the port that they came to."""

    def __init__(self, apps: dict[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            await self._apps[scope["server"][1]](scope, receive, send)
