"""The open connections of an HTTP server, and the limits that apply before a request is complete.

uvicorn's h11 protocol speaks HTTP. The protocol here wraps it and sees only what asyncio documents:
a connection opens, bytes arrive, the connection closes. ``RequestLimits`` reports requests to it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from typing import Any

import h11
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

from pkigen.serve.http.accepted_connection import AcceptedConnection, wait_until_closed

CONNECTION = "pkigen.connection"
"""Key of the request's ``Connection`` in its ASGI scope."""

_MAX_CONNECTIONS = 256
_MAX_CONNECTIONS_PER_CLIENT = 128
# Up to this many excess connections receive a 503 response; the server drops the rest.
_MAX_EXCESS = 256
_EXCESS_SECONDS = 2.0
# A connection that has been idle for this long may be closed in favor of a new one.
_IDLE_SECONDS = 1.0
_CONNECTION_SECONDS = 60.0
# How long the server discards a body after an early response.
_LINGER_SECONDS = 5.0
# Bytes of one request that the server reads, including those that it discards after an early response.
_MAX_REQUEST_BYTES = 32 * 1024 * 1024
# SO_LINGER with a timeout of 0: close() sends RST instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Address = tuple[Any, Any] | None


class Connections:
    """The connections of one server, at one or more listeners."""

    def __init__(self) -> None:
        self._open = dict[tuple[Address, Address], Connection]()
        self.is_closing = False
        """Set by a server that stops: a connection that it accepted just before is closed at once."""

    def protocol(
        self, *args: Any, tls_context: ssl.SSLContext | None = None, **kwargs: Any
    ) -> asyncio.Protocol:
        """Return a new connection; pass this method to uvicorn as ``Config(http=...)``."""
        return Connection(self, H11Protocol(*args, **kwargs), tls_context)

    def find(self, scope: Scope) -> Connection | None:
        """Return the connection of a request, or None if the client has disconnected."""
        return self._open.get((scope["client"], scope["server"]))

    def add(self, connection: Connection) -> None:
        """Register a connection and enforce the limits.

        If a limit is exceeded, close the oldest idle connection; if there is none, refuse the new one.
        """
        rivals = [other for other in self._open.values() if other.port == connection.port]
        same_client = [other for other in rivals if other.host == connection.host]
        self._open[connection.addresses] = connection
        if self.is_closing:
            connection.end()
            return
        for others, limit in ((same_client, _MAX_CONNECTIONS_PER_CLIENT), (rivals, _MAX_CONNECTIONS)):
            excess = len(others) + 1 - limit
            if excess > _MAX_EXCESS:
                connection.abort()
            elif excess > 0 and not _close_oldest_idle(others):
                connection.refuse()

    def remove(self, connection: Connection) -> None:
        """Forget a closed connection."""
        if self._open.get(connection.addresses) is connection:
            del self._open[connection.addresses]

    async def abort_all(self) -> None:
        """Close every connection that is left after a server has stopped, and its socket with it."""
        connections = list(self._open.values())
        for connection in connections:
            connection.abort()
        await wait_until_closed(connections)

    def end_all(self) -> None:
        """Close every connection: an idle one now, an active one after its response."""
        for connection in list(self._open.values()):
            connection.end()


def _close_oldest_idle(connections: list[Connection]) -> bool:
    latest = time.monotonic() - _IDLE_SECONDS
    idle = [c for c in connections if c.idle_since is not None and c.idle_since <= latest]
    if not idle:
        return False
    oldest = min(idle, key=lambda connection: connection.idle_since or 0.0)
    oldest.close()
    return True


class Connection(AcceptedConnection):
    """One client connection: its age, the bytes received, and the number of active requests.

    - After 60 s, a connection without an active request is closed if its next request head is incomplete.
      If it is idle, its next response carries ``Connection: close``. After 120 s it is aborted.
    - A client that sends more than 32 MiB for one request is disconnected.
    - An excess connection receives 503 for any request, and is closed after 2 s.
    """

    def __init__(
        self, connections: Connections, http: H11Protocol, tls_context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(tls_context)
        self._connections = connections
        self._http = http
        self._timers = list[asyncio.TimerHandle]()
        self._active = self._requests = self._received = 0
        self.addresses: tuple[Address, Address] = (None, None)
        self.is_last = self.is_refused = False
        self.idle_since: float | None = None

    @property
    def host(self) -> object:
        """The client's IP address."""
        return self.addresses[0] and self.addresses[0][0]

    @property
    def port(self) -> object:
        """The listener's port."""
        return self.addresses[1] and self.addresses[1][1]

    def accepted(self) -> None:
        """Start the timers of the connection; during the handshake it is idle."""
        peer = self._transport.get_extra_info("peername")
        local = self._transport.get_extra_info("sockname")
        self.addresses = (peer and tuple(peer[:2]), local and tuple(local[:2]))
        self.idle_since = time.monotonic()
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(_CONNECTION_SECONDS, self.expire))
        self._timers.append(loop.call_later(2 * _CONNECTION_SECONDS, self.abort))
        self._connections.add(self)

    def established(self, transport: asyncio.Transport) -> None:
        """Start to parse requests."""
        self.idle_since = None
        self._http.connection_made(transport)

    def received(self, data: bytes) -> None:
        """Pass bytes to the parser, within the limit per request."""
        self._received += len(data)
        self.idle_since = None
        if self._received > _MAX_REQUEST_BYTES:
            self.abort()
            return
        try:
            self._http.data_received(data)
        except h11.LocalProtocolError:
            # The request became invalid after its response had started: no error response is possible.
            self.abort()

    def eof_received(self) -> None:
        """Let the active request finish, although the client sends no more."""
        self._http.eof_received()

    def pause_writing(self) -> None:
        """Stop the responses: the client reads slowly."""
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Continue the responses."""
        self._http.resume_writing()

    def ended(self, exc: Exception | None) -> None:
        """Stop the timers, and end the active request."""
        if self.is_established:
            self._http.connection_lost(exc)
        for timer in self._timers:
            timer.cancel()
        self._connections.remove(self)

    def request_started(self) -> None:
        """Note that a request head is complete."""
        self._requests += 1
        self._active += 1
        self._received = 0
        self.idle_since = None

    def request_finished(self, *, announced_close: bool, body_is_read: bool) -> None:
        """Note that a response is complete, and whether it announced the end of the connection.

        A response that precedes the end of its request's body must not close the connection at once: the
        client would still be sending, and a reset would discard the response (RFC 9112, 9.6).
        """
        self._active -= 1
        if not body_is_read:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(_LINGER_SECONDS, self._close_unless_used, self._requests))
        if not self._active:
            self.idle_since = time.monotonic()
            if self.is_last and not announced_close:
                self.close()

    def expire(self) -> None:
        """End the connection without losing a request or a response."""
        self.is_last = True
        # A request that has just arrived becomes active with the next run of its task.
        asyncio.get_running_loop().call_soon(self._close_unless_in_use)

    def _close_unless_in_use(self) -> None:
        # Closing between two requests could lose one that is on its way; uvicorn closes an idle connection.
        if not self._active and (self._received or not self._requests):
            self.close()

    def end(self) -> None:
        """Close after the active response; now if there is none."""
        self.is_last = True
        if not self._active:
            self.close()

    def _close_unless_used(self, requests: int) -> None:
        if self._requests == requests:
            self.close()

    def refuse(self) -> None:
        """Answer each request with 503, and close soon."""
        self.is_refused = True
        self._timers.append(asyncio.get_running_loop().call_later(_EXCESS_SECONDS, self.abort))

    def close(self, last_bytes: bytes = b"") -> None:
        """Send what was written and ``last_bytes``, then close."""
        if last_bytes:
            self._transport.write(last_bytes)
        self._transport.close()

    def reset(self) -> None:
        """Send a TCP reset."""
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()
