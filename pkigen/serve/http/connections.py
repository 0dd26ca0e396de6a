"""The open connections of an HTTP server, and the limits that apply before a request is complete.

uvicorn's h11 protocol speaks HTTP. The protocol here wraps it and sees only what asyncio documents:
a connection opens, bytes arrive, the connection closes. ``RequestLimits`` reports requests to it.
"""

from __future__ import annotations

import asyncio
import logging
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
_MAX_TOTAL = 4096
# Up to this many excess connections receive a 503 response; the server drops the rest.
_MAX_EXCESS = 256
_EXCESS_SECONDS = 2.0
# A connection whose client is silent or slow for this long may be closed in favor of a new one.
_WAITING_SECONDS = 1.0
# From the first byte that the server expects to the end of a request's head.
_HEAD_SECONDS = 20.0
_CONNECTION_SECONDS = 60.0
# A listener's message about its limit is repeated at most this often.
_LOG_SECONDS = 10.0
# How long the server discards a body after an early response, and works for a client that sends no more.
_LINGER_SECONDS = 5.0
# Bytes of one request that the server reads, including those that it discards after an early response.
_MAX_REQUEST_BYTES = 32 * 1024 * 1024
# SO_LINGER with a timeout of 0: close() sends RST instead of FIN.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Address = tuple[Any, Any] | None


_TIMEOUT_RESPONSE = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 20\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n408 Request Timeout\n"
)

log = logging.getLogger("pkigen.serve.http")


def _max_total() -> int:
    """Return how many connections a server may have at all listeners: a quarter of the file descriptors.

    The rest is for the other servers of the process, files, and connections to other servers.
    """
    try:
        import resource
    except ImportError:  # Windows
        return _MAX_TOTAL
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _MAX_TOTAL if soft == resource.RLIM_INFINITY else max(1, min(_MAX_TOTAL, soft // 4))


class Connections:
    """The connections of one server, at one or more listeners."""

    def __init__(self) -> None:
        self._max_total = _max_total()
        self._next_message = dict[object, float]()
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

        If a limit is exceeded, close the connection that has waited for its client the longest; if there is
        none, refuse the new one.
        """
        everywhere = [other for other in self._open.values() if not other.is_replaced]
        rivals = [other for other in everywhere if other.port == connection.port]
        same_client = [other for other in rivals if other.host == connection.host]
        self._open[connection.addresses] = connection
        if self.is_closing:
            connection.end()
            return
        for others, limit, whose in (
            (same_client, _MAX_CONNECTIONS_PER_CLIENT, f"from {connection.host}"),
            (rivals, _MAX_CONNECTIONS, "to this port"),
            (everywhere, self._max_total, "to all ports of the server"),
        ):
            excess = len(others) + 1 - limit
            if excess <= 0:
                continue
            self._log_limit(connection, f"more than {limit} connections {whose}")
            if excess > min(_MAX_EXCESS, max(limit, 1)):
                connection.abort()
            elif not self._replace_one(others):
                connection.refuse()
            return

    def _replace_one(self, connections: list[Connection]) -> bool:
        """Close the connection that has waited for its client the longest, if it has waited long enough."""
        latest = time.monotonic() - _WAITING_SECONDS
        waiting = [c for c in connections if c.waiting_since is not None and c.waiting_since <= latest]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda connection: connection.waiting_since or 0.0)
        oldest.replace(at_once=sum(other.is_replaced for other in self._open.values()) >= _MAX_EXCESS)
        return True

    def _log_limit(self, connection: Connection, reason: str) -> None:
        now = time.monotonic()
        if now >= self._next_message.get(connection.port, 0.0):
            self._next_message[connection.port] = now + _LOG_SECONDS
            log.warning(
                "port %s: %s; closing the ones that wait for their client, or refusing new ones with 503",
                connection.port,
                reason,
            )

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


class Connection(AcceptedConnection):
    """One client connection: its age, the bytes received, and the number of active requests.

    - A request head has 20 s; then the client receives 408.
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
        self.is_last = self.is_refused = self.is_replaced = False
        self.waiting_since: float | None = None
        """Since when the server waits for this client: for a handshake, a whole request, or its reading."""
        self._is_eof = False
        self._head_timer: asyncio.TimerHandle | None = None

    @property
    def host(self) -> object:
        """The client's IP address."""
        return self.addresses[0] and self.addresses[0][0]

    @property
    def port(self) -> object:
        """The listener's port."""
        return self.addresses[1] and self.addresses[1][1]

    @property
    def is_closing(self) -> bool:
        """Whether the server closed the connection, or the client did."""
        return self._transport.is_closing()

    @property
    def client_certificate(self) -> bytes | None:
        """The certificate (DER) that the client presented in the TLS handshake."""
        tls = self._transport.get_extra_info("ssl_object")
        return None if tls is None else tls.getpeercert(binary_form=True)

    def accepted(self) -> None:
        """Start the timers of the connection."""
        peer = self._transport.get_extra_info("peername")
        local = self._transport.get_extra_info("sockname")
        self.addresses = (peer and tuple(peer[:2]), local and tuple(local[:2]))
        self.waiting_since = time.monotonic()
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(_CONNECTION_SECONDS, self.expire))
        self._timers.append(loop.call_later(2 * _CONNECTION_SECONDS, self.abort))
        self._connections.add(self)

    def established(self, transport: asyncio.Transport) -> None:
        """Start to parse requests."""
        self._http.connection_made(transport)
        self._start_head_timer()

    def received(self, data: bytes) -> None:
        """Pass bytes to the parser, within the limit per request."""
        if not self._active and self._head_timer is None:
            self._start_head_timer()
        self._received += len(data)
        if self._received > _MAX_REQUEST_BYTES:
            self.abort()
            return
        try:
            self._http.data_received(data)
        except h11.LocalProtocolError:
            # The request became invalid after its response had started: no error response is possible.
            self.abort()

    def eof_received(self) -> bool:
        """Give each complete request 5 s to finish, although the client sends no more.

        With TLS, asyncio closes the connection.
        """
        self._is_eof = True
        self._http.eof_received()
        asyncio.get_running_loop().call_soon(self._close_at_eof, self._requests)
        self._limit_request_at_eof()
        # The transport is still the raw one if the end arrives with the last message of the handshake.
        return self._context is None

    def _close_at_eof(self, requests: int) -> None:
        # A complete request that waited in the parser has become active before this call.
        if self._requests == requests and not self._active:
            self.close()

    def _limit_request_at_eof(self) -> None:
        # The body may be incomplete, and the client may have left: that looks like a half-closed connection.
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(_LINGER_SECONDS, self._close_unless_used, self._requests))

    def pause_writing(self) -> None:
        """Stop the responses: the client reads slowly."""
        self.waiting_since = time.monotonic()
        self._http.pause_writing()

    def resume_writing(self) -> None:
        """Continue the responses."""
        self.waiting_since = None if self._active else time.monotonic()
        self._http.resume_writing()

    def _start_head_timer(self) -> None:
        self._stop_head_timer()
        self._head_timer = asyncio.get_running_loop().call_later(_HEAD_SECONDS, self._end_slow_head)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_slow_head(self) -> None:
        self._head_timer = None
        if not self._active:
            self.close(_TIMEOUT_RESPONSE if self._received else b"")

    def ended(self, exc: Exception | None) -> None:
        """Stop the timers, and end the active request."""
        if self.is_established:
            self._http.connection_lost(exc)
        self._stop_head_timer()
        for timer in self._timers:
            timer.cancel()
        self._connections.remove(self)

    def request_started(self, *, has_body: bool) -> None:
        """Note that a request head is complete; ``has_body`` means that its body may be incomplete."""
        self._stop_head_timer()
        self._requests += 1
        self._active += 1
        self._received = 0
        if not has_body:
            self.waiting_since = None
        if self._is_eof:
            self._limit_request_at_eof()

    def body_received(self) -> None:
        """Note that the body of the active request is complete."""
        self.waiting_since = None

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
            self.waiting_since = time.monotonic()
            if self.is_last and not announced_close:
                self.close()
            elif self._is_eof:
                asyncio.get_running_loop().call_soon(self._close_at_eof, self._requests)

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

    def replace(self, *, at_once: bool) -> None:
        """Close in favor of a new connection, with close_notify if the client reads what it was sent."""
        self.is_replaced = True
        # A TLS transport of asyncio that is closing may have no buffer to measure.
        if at_once or self._transport.is_closing() or self._transport.get_write_buffer_size():
            self.abort()
        else:
            self.close()
            # A TLS client may never answer close_notify.
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
