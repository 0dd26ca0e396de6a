"""Sockets for TLS sessions: many concurrent connections with a time limit each."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from pkigen.serve.http.accepted_connection import stop_accepting
from pkigen.serve.http.server import Listener
from pkigen.serve.tls.case_selection import CaseSelector
from pkigen.serve.tls.codec import AlertDescription
from pkigen.serve.tls.session import Session

_MAX_CONNECTIONS = 256
_MAX_CONNECTIONS_PER_CLIENT = 128
_HANDSHAKE_SECONDS = 10.0
_CONNECTION_SECONDS = 20.0
_SLOW_SECONDS = 300.0
_SECONDS_PER_BYTE = 1.0
_LINGER_SECONDS = 1.0
# An alert in plaintext, for a client that gets no session.
_REFUSAL = b"\x15\x03\x03\0\x02" + bytes((2, AlertDescription.INTERNAL_ERROR))

log = logging.getLogger("pkigen.serve.tls")


@contextmanager
def background(selector: CaseSelector, listener: Listener) -> Iterator[None]:
    """Serve in a thread until the block ends."""
    endpoints = Endpoints(selector)
    thread = threading.Thread(
        target=lambda: asyncio.run(endpoints.run(listener)), name="pkigen-serve-tls", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        endpoints.stop()
        thread.join()


@dataclass
class Endpoints:
    """The TLS endpoints of an environment on one socket.

    A connection has 10 s for the handshake, and 20 s for its request. If the client address has 128 open
    connections, or the socket 256, the one that has been idle for the longest time is closed in favor of a
    new one; without an idle one, the new one is refused.
    """

    selector: CaseSelector
    connections: list[Connection] = field(default_factory=list)
    _started: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, listener: Listener) -> None:
        """Accept connections until ``stop``, then close the open ones."""
        self._loop = asyncio.get_running_loop()
        self._started.set()
        server = await self._loop.create_server(lambda: Connection(self), sock=listener.socket.dup())
        await self._stopped.wait()
        await stop_accepting([server])
        server.close()
        for connection in list(self.connections):
            connection.close("was open when the server stopped")
        # A transport closes its socket in the next iteration of the event loop.
        await asyncio.sleep(0)

    def stop(self) -> None:
        """Stop ``run`` from another thread."""
        self._started.wait()
        assert self._loop is not None
        with suppress(RuntimeError):  # The loop has already ended.
            self._loop.call_soon_threadsafe(self._stopped.set)

    def make_room(self, host: str) -> bool:
        """Enforce the limits before a new connection; return False if no connection is idle."""
        same = [one for one in self.connections if one.host == host]
        for rivals, limit in ((same, _MAX_CONNECTIONS_PER_CLIENT), (self.connections, _MAX_CONNECTIONS)):
            if len(rivals) < limit:
                continue
            idle = [one for one in rivals if one.idle_since is not None]
            if not idle:
                return False
            oldest = min(idle, key=lambda one: one.idle_since or 0.0)
            oldest.close(f"idle, closed for a new connection from {host} (limit {limit})")
        return True


class Connection(asyncio.Protocol):
    """Passes bytes between a socket and a session; ``idle_since`` is None while the server works for it.

    A protocol, because streams and their tasks cost more CPU time than a handshake.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints, self._loop = endpoints, asyncio.get_running_loop()
        self.idle_since: float | None = time.monotonic()
        self._is_lingering = self._is_full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a session, or refuse it if there are too many connections."""
        self._transport = cast("asyncio.Transport", transport)
        self._peer = transport.get_extra_info("peername") or ("?", 0)
        self.host = str(self._peer[0])
        address, selector = str(transport.get_extra_info("sockname")[0]), self._endpoints.selector
        self._session = Session(partial(selector.present, address), partial(selector.cached, address))
        self._timer = self._loop.call_later(_HANDSHAKE_SECONDS, self._on_timeout)
        connections = self._endpoints.connections
        if self._endpoints.make_room(self.host):
            connections.append(self)
            return
        outcome = f"refused: all of the {len(connections)} open connections are active"
        self._session.done, self._session.outcome = True, outcome
        self._transport.write(_REFUSAL)
        self._transport.close()
        log.warning("%s", self._log_line())

    def data_received(self, data: bytes) -> None:
        """Process data; what arrives after the end of the session is discarded."""
        if self._session.done:
            return
        self.idle_since = None
        output = self._receive(data, may_defer=True)
        if self._session.is_deferred:
            # Reading files and signing with a long key must not block the other connections.
            self._transport.pause_reading()
            self._loop.run_in_executor(None, self._receive, b"").add_done_callback(
                lambda future: self._respond(future.result())
            )
        else:
            self._respond(output)

    def _receive(self, data: bytes, *, may_defer: bool = False) -> bytes:
        try:
            return self._session.receive(data, may_defer=may_defer)
        except Exception as error:  # noqa: BLE001  one client must not affect the others
            self._session.done, self._session.outcome = True, f"server error: {type(error).__name__}"
            return b""

    def _respond(self, output: bytes) -> None:
        """Send the output of the session, then read on, or wait until the client has read all of it."""
        if self not in self._endpoints.connections:
            return  # It was closed while a thread worked for it, or before the next byte of a slow session.
        if self._session.slow:
            self._end_in(_SLOW_SECONDS)
            self._transport.pause_reading()
            self._transport.write(output[:1])
            if output:
                self._loop.call_later(_SECONDS_PER_BYTE, self._respond, output[1:])
                return
        else:
            if self._session.is_established:
                self._end_in(_CONNECTION_SECONDS)
            self._transport.write(output)
        self.idle_since = time.monotonic()
        if self._session.done:
            # Closing a socket with unread input would reset the connection and discard the output.
            self._is_lingering = True
            self._end_in(_LINGER_SECONDS)
            with suppress(OSError):  # The client has reset the connection; asyncio reports that next.
                self._transport.write_eof()
        if not self._is_full:
            self._transport.resume_reading()

    def eof_received(self) -> None:
        """Close the connection after the remaining output."""
        self._session.done = True

    def pause_writing(self) -> None:
        """Stop reading from a client that does not read."""
        self._is_full = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Read on, unless the server works for the client."""
        self._is_full = False
        if self.idle_since is not None:
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Log the outcome; also called after ``close``."""
        if isinstance(exc, OSError) and not self._is_lingering:
            self._session.outcome += "; the connection was reset"
        self._end()

    def close(self, outcome: str) -> None:
        """End the session with close_notify, and the connection."""
        if alert := self._session.close(outcome):
            self._transport.write(alert)
        self._transport.abort()
        self._end()

    def _end_in(self, seconds: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._on_timeout)

    def _on_timeout(self) -> None:
        phase = "without a request" if self._session.is_established else "during the handshake"
        self.close(f"timed out {phase}")

    def _end(self) -> None:
        self._timer.cancel()
        if self in self._endpoints.connections:
            self._endpoints.connections.remove(self)
            log.info("%s", self._log_line())

    def _log_line(self) -> str:
        """Return the log line of the session; the name from the client is escaped."""
        session, credential = self._session, self._session.credential
        name = ascii(session.name)[1:-1] if session.name is not None else "no name"
        case = f" {credential.case.name}" if credential else ""
        note = f" (key file: {credential.note})" if credential and credential.note else ""
        return f"{self._peer[0]}:{self._peer[1]} TLS {name}{case}: {session.outcome}{note}"
