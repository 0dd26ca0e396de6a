"""A client that sends any bytes, and a server that echoes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.serve.http.server import background, listen

GET = b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n"


def connect(url: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=10)


def read_all(client: socket.socket) -> bytes:
    """Everything until the server closes, also where it does so in the middle of what we send."""
    received = bytearray()
    with suppress(ConnectionError):
        while part := client.recv(65536):
            received += part
    return bytes(received)


def exchange(url: str, *sent: bytes) -> bytes:
    with closing(connect(url)) as client:
        with suppress(ConnectionError):
            for part in sent:
                client.sendall(part)
        return read_all(client)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    with listen("127.0.0.1", 0) as listener, background(app, listener):
        yield listener.url


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with path and Host, after a moment if the path is /slow."""
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/slow":
        await asyncio.sleep(0.05)
    host = dict(scope["headers"]).get(b"host", b"")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"[%s %s]" % (host, scope["path"].encode())})
