"""Servers that alerts are forwarded to: a syslog receiver over TLS, and one of webhooks."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pkigen.lab.connections.alert_formats import MAX_MESSAGE_BYTES, SyslogFrameParser
from pkigen.lab.connections.alerts import MAX_STORED, format_time
from pkigen.serve.http.server import Listener

_MOST_OPEN = 64
_IDLE_SECONDS = 30.0
_HANDSHAKE_SECONDS = 10.0
_PART = 65536
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class Receiver:
    """One of the lab's own, with the certificate ``case`` of the environment.

    ``taken`` are its newest messages with the instant at which each came.
    """

    name: str
    kind: str
    case: str
    host: str
    listener: Listener
    clock: Callable[[], datetime]
    received: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=MAX_STORED))

    def take(self, text: str) -> None:
        """A message has come."""
        self.received.append((format_time(self.clock()), text[:MAX_MESSAGE_BYTES]))

    async def webhook(self, request: Request) -> Response:
        """``POST /``: alerts in JSON."""
        try:
            found = json.loads(await request.body())
            alerts = found["alerts"]
            texts = [f"{alert['source']}: {alert['title']}" for alert in alerts]
        except (ValueError, KeyError, TypeError, RecursionError):
            return JSONResponse({"error": "the body must be a JSON object with a list of alerts"}, 400)
        for text in texts:
            self.take(text)
        return JSONResponse({"taken": len(texts)})


class SyslogServer:
    """Takes messages over TLS, by their lengths, until it is closed."""

    def __init__(self, receiver: Receiver, context: ssl.SSLContext) -> None:
        self._receiver = receiver
        self._context = context
        self._server: asyncio.Server | None = None
        self._open = set[asyncio.Task[None]]()

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._serve,
            sock=self._receiver.listener.socket,
            ssl=self._context,
            ssl_handshake_timeout=_HANDSHAKE_SECONDS,
        )

    async def stop(self) -> None:
        """Listen no more, and let go of who is connected."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= _MOST_OPEN:
            _cut_off(writer)
            return
        self._open.add(task)
        frames = SyslogFrameParser()
        try:
            while data := await asyncio.wait_for(reader.read(_PART), _IDLE_SECONDS):
                for text in frames.take(data):
                    self._receiver.take(text)
        except (ValueError, OSError, TimeoutError, asyncio.CancelledError):
            _cut_off(writer)
        finally:
            self._open.discard(task)
            writer.close()


def _cut_off(writer: asyncio.StreamWriter) -> None:
    """End with a reset: a sender must not take an end in order for a receipt."""
    connected = writer.get_extra_info("socket")
    if connected is not None:
        with suppress(OSError):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
    writer.transport.abort()
