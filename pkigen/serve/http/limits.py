"""ASGI middleware around every application: request limits, and one access log line per request."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress
from urllib.parse import unquote

import h11
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pkigen.serve.http.access_log import AccessLog
from pkigen.serve.http.connections import CONNECTION, Connection, Connections

MAX_INCOMPLETE_HEAD = 64 * 1024
"""Bytes of an incomplete request head at which the parser gives up (400)."""

_MAX_HEAD = 16 * 1024
MAX_BODY = 1024 * 1024
# HOST or HOST:PORT (RFC 3986, 3.2.2) without the comma, which joins the values of two fields.
_AUTHORITY = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(?::[0-9]{0,5})?")
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


class RequestLimits:
    """Refuse what no client of the stub needs, and let the application answer everything else.

    - 503 for a connection above the limit.
    - 431 for a head above 16 KiB (RFC 6585, 5).
    - 413 for a body of which the application reads more than ``max_body`` bytes.
    - 400 for a request with an invalid target or Host field (RFC 9112, 3.2), which includes CONNECT.
    - 400 for a request with both Content-Length and Transfer-Encoding (RFC 9112, 6.3: request smuggling).

    ``log`` receives one line for each request.
    """

    def __init__(
        self, app: ASGIApp, connections: Connections, log: AccessLog | None = None, max_body: int = MAX_BODY
    ) -> None:
        self._app = app
        self._connections = connections
        self._log = log
        self._max_body = max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_valid_target = _use_origin_form(scope)
        connection = self._connections.find(scope)
        response, body = _Response(send, connection), _Body(scope, receive, self._max_body, connection)
        start = time.perf_counter()
        if connection is not None:
            scope[CONNECTION] = connection
            connection.request_started(has_body=not body.complete)
        try:
            refusal = _refusal(scope, connection, has_valid_target=has_valid_target)
            if refusal is None:
                await self._answer(scope, body, response)
            else:
                await refusal(scope, receive, response.send)
        except h11.LocalProtocolError:
            # The parser has rejected the body, answered 400, and closes the connection. uvicorn would log a
            # traceback of the second response.
            if connection is None or not connection.is_closing:
                raise
            await connection.closed.wait()
        except asyncio.CancelledError:
            # The server stops and its grace period is over. uvicorn would log a traceback.
            if connection is not None:
                connection.abort()
                with suppress(asyncio.CancelledError):
                    await connection.closed.wait()
        finally:
            if connection is not None:
                connection.request_finished(
                    announced_close=response.announced_close, body_is_read=body.complete
                )
            if self._log is not None:
                milliseconds = (time.perf_counter() - start) * 1000
                self._log.note(scope, response.status, response.size, milliseconds, response.complete)

    async def _answer(self, scope: Scope, body: _Body, response: _Response) -> None:
        try:
            await self._app(scope, body.receive, response.send)
        except HTTPException as error:
            if response.status:
                raise
            refusal = PlainTextResponse(f"{error.status_code} {error.detail}\n", error.status_code)
            await refusal(scope, body.receive, response.send)


class _Body:
    """A request's body, as far as the application has read it."""

    def __init__(self, scope: Scope, receive: Receive, limit: int, connection: Connection | None) -> None:
        self._receive = receive
        self._connection = connection
        self._left = limit
        self.complete = not any(name in _FRAMING for name, _ in scope["headers"])

    async def receive(self) -> Message:
        """Return the next part; HTTPException 413 above the limit."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413)
        if not self.complete and not message.get("more_body", False):
            self.complete = True
            if self._connection is not None:
                self._connection.body_received()
        return message


class _Response:
    """What the application sent of one response."""

    def __init__(self, send: Send, connection: Connection | None) -> None:
        self._send = send
        self._connection = connection
        self.status = self.size = 0
        self.complete = self.announced_close = False

    async def send(self, message: Message) -> None:
        """Send a part, with ``Connection: close`` if the connection is about to end."""
        connection = self._connection
        is_start = message["type"] == "http.response.start"
        if is_start:
            self.status = message["status"]
            if connection is not None and connection.is_last:
                self.announced_close = True
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        else:
            self.size += len(message.get("body", b""))
        await self._send(message)
        if not is_start and not message.get("more_body", False):
            self.complete = connection is None or not connection.closed.is_set()


def _use_origin_form(scope: Scope) -> bool:
    """Return whether target and Host of a request are valid (RFC 9112, 3.2).

    The authority of an absolute-form target, which proxies get, replaces the Host field (3.2.2).
    """
    target, headers = scope["raw_path"], scope["headers"]
    scheme, separator, rest = target.partition(b"://")
    if separator and scheme.lower() in (b"http", b"https"):
        host, _, path = rest.partition(b"/")
        raw_path = b"/" + path
        scope["raw_path"], scope["path"] = raw_path, unquote(raw_path.decode("latin-1"))
        scope["headers"] = [(name, host if name == b"host" else value) for name, value in headers]
        return _AUTHORITY.fullmatch(host) is not None
    hosts = (value for name, value in headers if name == b"host" and value)
    if not all(map(_AUTHORITY.fullmatch, hosts)):
        return False
    return bool(target.startswith(b"/") or (target == b"*" and scope["method"] == "OPTIONS"))


def _refusal(scope: Scope, connection: Connection | None, *, has_valid_target: bool) -> ASGIApp | None:
    headers = scope["headers"]
    names = {name for name, _ in headers}
    size = len(scope["raw_path"]) + len(scope["query_string"])
    size += sum(len(name) + len(value) + len(b": \r\n") for name, value in headers)
    if connection is not None and connection.is_refused:
        close = {"Connection": "close", "Retry-After": "1"}
        return PlainTextResponse("503 Service Unavailable\n", 503, close)
    if scope["http_version"] not in ("1.0", "1.1"):
        return PlainTextResponse("505 HTTP Version Not Supported\n", 505, {"Connection": "close"})
    if names >= _FRAMING or not has_valid_target:
        return PlainTextResponse("400 Bad Request\n", 400, {"Connection": "close"})
    if size > _MAX_HEAD:
        return PlainTextResponse("431 Request Header Fields Too Large\n", 431)
    return None
