"""HTTPS servers in a thread: one application per port, and a certificate that can be replaced."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.errors import EnvironmentFailure
from pkigen.serve.http.access_log import AccessLog
from pkigen.serve.http.limited_server import KEEP_ALIVE_SECONDS, LimitedServer
from pkigen.serve.http.server import Listener


class Endpoint:
    """A listener, and the context of connections to it: each is presented the credential of its time."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.context = DelegatingContext(ssl.PROTOCOL_TLS_SERVER)

    def present(self, context: ssl.SSLContext) -> None:
        """From the next connection on."""
        self.context.current = lambda: context


class DelegatingContext(ssl.SSLContext):
    """Uses the context that ``current`` returns at the start of each connection.

    Not by a callback for SNI: sessions are a context's own, and one of before would be resumed with the
    certificate of before.
    """

    current: Callable[[], ssl.SSLContext]

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """TLS for one connection, as servers of asyncio ask for it."""
        return self.current().wrap_bio(*args, **kwargs)


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
def serve_sites(
    all_: Sequence[HttpsSite],
    *,
    max_body: int = _MAX_BODY,
    log: AccessLog | None = None,
    keep_alive: int = KEEP_ALIVE_SECONDS,
) -> Iterator[asyncio.AbstractEventLoop]:
    """Serve until the block is left; gives the event loop of the server.

    ``max_body`` limits the bytes of a request body; ``log`` receives one line for each request. An idle
    connection stays open for ``keep_alive`` seconds.
    """
    server = _Server(all_, max_body, log, keep_alive)
    thread = threading.Thread(target=server.run, name="pkigen-https", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_SECONDS) or server.loop is None:
            raise EnvironmentFailure("the HTTPS servers did not start in time")
        yield server.loop
    finally:
        server.should_exit = True
        thread.join()


class _Server(LimitedServer):
    """A server with one TLS context per socket."""

    def __init__(
        self, sites: Sequence[HttpsSite], max_body: int, log: AccessLog | None, keep_alive: int
    ) -> None:
        by_port = _ByPort({site.listener.port: site.app for site in sites})
        super().__init__(by_port, log, grace=_STOP_SECONDS, max_body=max_body, keep_alive=keep_alive)
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
