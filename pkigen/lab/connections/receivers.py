"""Receivers of forwarded alerts: a syslog server over TLS, and a webhook server."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pkigen.lab.connections.alert_formats import MAX_MESSAGE_BYTES, SyslogFrameParser
from pkigen.lab.connections.alerts import MAX_BATCH_BYTES, MAX_STORED, format_time, parse_alerts
from pkigen.serve.http.accepted_connection import AcceptedConnection, stop_accepting, wait_until_closed
from pkigen.serve.http.json_body import read_json_object
from pkigen.serve.http.server import Listener

_MOST_OPEN = 64
_IDLE_SECONDS = 30.0
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class Receiver:
    """A receiver of the lab with the certificate ``case`` of the environment.

    ``received`` contains the newest messages with their times.
    """

    name: str
    kind: str
    case: str
    host: str
    listener: Listener
    clock: Callable[[], datetime]
    received: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=MAX_STORED))

    def take(self, text: str) -> None:
        """Store a message."""
        self.received.append((format_time(self.clock()), text[:MAX_MESSAGE_BYTES]))

    async def webhook(self, request: Request) -> Response:
        """Process ``POST /`` with alerts in JSON."""
        try:
            body = await read_json_object(request, MAX_BATCH_BYTES)
            if "alerts" not in body:
                raise HTTPException(400, "the body must be a JSON object with a list of alerts")
            alerts = parse_alerts(body)
        except HTTPException as error:
            return JSONResponse({"error": error.detail}, error.status_code)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        for alert in alerts:
            self.take(f"{alert.source}: {alert.title}")
        return JSONResponse({"taken": len(alerts)})


class SyslogServer:
    """A syslog server over TLS with length-prefixed messages (RFC 5425, 4.3)."""

    def __init__(self, receiver: Receiver, context: ssl.SSLContext) -> None:
        self.receiver = receiver
        self.connections = set[_SyslogConnection]()
        self._context = context
        self._server: asyncio.Server | None = None

    @property
    def accepts_connections(self) -> bool:
        """Whether the server listens and is below its limit of connections."""
        is_listening = self._server is not None and self._server.is_serving()
        return is_listening and len(self.connections) < _MOST_OPEN

    async def start(self) -> None:
        """Start listening."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _SyslogConnection(self, self._context),
            sock=self.receiver.listener.socket,
        )

    async def stop(self) -> None:
        """Stop listening and reset every connection."""
        if self._server is None:
            return
        await stop_accepting([self._server])
        self._server.close()
        connections = tuple(self.connections)
        for connection in connections:
            connection.reset()
        await wait_until_closed(connections)


class _SyslogConnection(AcceptedConnection):
    """Receives the messages of one sender.

    This is a protocol, not a stream that a task reads: asyncio responds to close_notify immediately, and the
    sender concludes that its messages have arrived. A protocol has processed them by then.
    """

    def __init__(self, server: SyslogServer, context: ssl.SSLContext) -> None:
        super().__init__(context)
        self._server = server
        self._frames = SyslogFrameParser()
        self._idle_timer: asyncio.TimerHandle | None = None

    def accepted(self) -> None:
        """Count the connection, or reset it if the server is full or stops."""
        is_accepted = self._server.accepts_connections
        self._server.connections.add(self)
        if not is_accepted:
            self.reset()

    def established(self, transport: asyncio.Transport) -> None:
        """Limit how long the sender may be idle."""
        self._restart_idle_timer()

    def received(self, data: bytes) -> None:
        """Process the messages that are complete."""
        self._restart_idle_timer()
        try:
            for text in self._frames.take(data):
                self._server.receiver.take(text)
        except ValueError:
            self.reset()

    def ended(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._server.connections.discard(self)

    def reset(self) -> None:
        """Close with a TCP reset: an orderly close would tell the sender that its messages arrived."""
        connected = self._transport.get_extra_info("socket")
        if connected is not None:
            with suppress(OSError):
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        self._transport.abort()

    def _restart_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, self.reset)
