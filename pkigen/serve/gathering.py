"""An answer's head and its body in one write: each write costs more than all that makes the answer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from pkigen.serve.access import AccessLog

_LARGEST = 64 * 1024
# These change how a body is framed or what becomes of the connection: uvicorn's business.
_NOT_SIMPLE = frozenset({b"connection", b"transfer-encoding"})


class Gathered:
    """An application whose answers to one request go out whole, where that is simple.

    The start of an answer is held back until its body comes, as ASGI allows. An answer in several parts,
    without a length, on a connection that is to close or is congested, goes the way that it has always gone.
    ``log`` gets a line for the request, if there is one: here, and not in another application around this
    one, since that would cost as much as all the rest.
    """

    __slots__ = ("_app", "_begun", "_cycle", "_log", "_octets", "_start", "_status")

    def __init__(self, app: Any, cycle: RequestResponseCycle, log: AccessLog | None) -> None:
        self._app: ASGIApp = app
        self._cycle = cycle
        self._log = log
        self._start: Message | None = None
        self._begun = time.perf_counter()
        self._status = self._octets = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; ``send`` is the cycle's own, which is used where need be.

        An answer that the end of the server cuts off ends its connection, and is no error of ours.
        """
        cycle = self._cycle
        try:
            await self._app(scope, receive, self._send)
        except asyncio.CancelledError:
            cycle.disconnected = True
            cycle.transport.abort()
        finally:
            if self._log is not None:
                milliseconds = (time.perf_counter() - self._begun) * 1000
                self._log.note(scope, self._status, self._octets, milliseconds, cycle.response_complete)

    async def _send(self, message: Message) -> None:
        start = self._start
        if message["type"] == "http.response.start":
            if start is None:
                self._start = message
                self._status = message["status"]
                return
        else:
            self._octets += len(message.get("body", b""))
        if start is not None:
            self._start = None
            if self._whole(start, message):
                return
            await self._cycle.send(start)  # type: ignore[arg-type]
        await self._cycle.send(message)  # type: ignore[arg-type]

    def _whole(self, start: Message, message: Message) -> bool:
        """Write both at once; False, with nothing done, where it is not simple."""
        cycle = self._cycle
        body, status, headers = message.get("body", b""), start["status"], start["headers"]
        if message.get("more_body") or len(body) > _LARGEST or not cycle.keep_alive or cycle.disconnected:
            return False
        if cycle.response_started or cycle.flow.write_paused:
            return False
        lines, length = [STATUS_LINE[status]], None
        for name, value in [*cycle.default_headers, *headers]:
            if name == b"content-length":
                length = value
            elif name in _NOT_SIMPLE:
                return False
            lines += (name, b": ", value, b"\r\n")
        if cycle.scope["method"] == "HEAD":
            body = b""
        elif length != b"%d" % len(body) and not (status == 304 and length is None):
            return False
        head = b"".join(lines)
        if head.count(b"\n") != len(lines) // 4 + 1:
            return False  # a line within a value: refused there
        cycle.transport.write(b"".join((head, b"\r\n", body)))
        cycle.response_started = cycle.response_complete = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        cycle.on_response()
        return True
