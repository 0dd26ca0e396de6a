"""Sends faulty HTTP responses (model.Serving)."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pkigen.environment.published.large_crl import enlarge_crl
from pkigen.errors import PkigenError
from pkigen.serve.faults.url_map import FaultBehavior
from pkigen.serve.http.connections import CONNECTION

MOVED = "/moved"
"""Prefix of the redirect targets; the same URLs as at the root, without faults."""

_PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"
_SECONDS_BETWEEN_OCTETS = 1.0
_SECONDS_BEFORE_ALL = 30.0
_SECONDS_BETWEEN_CHUNKS = 0.1
_CHUNK = bytes(65536)
_TIMES_TOO_LARGE = 1000
_LARGEST = 64 * 1024 * 1024
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]+)-----END")
# Alert record: fatal, unexpected_message (RFC 8446, 5.1 and 6).
_ALERT = bytes.fromhex("15 0303 0002 02 0a")
# Conditional requests would return 304, and the client would miss the fault.
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"range"})

_log = logging.getLogger(__name__)


async def send_faulty_response(
    wrong: FaultBehavior, app: ASGIApp, folder: Path, scope: Scope, receive: Receive, send: Send
) -> None:
    """Send the faulty response to one request.

    Transport faults use the correct response of the application, so that it has no other fault.
    """
    path = scope["path"]
    match wrong.how:
        case "status":
            answer: Response = PlainTextResponse(f"{wrong.argument}\n", int(wrong.argument))
        case "redirect":
            answer = RedirectResponse(MOVED + path, 302)
        case "loop":
            answer = RedirectResponse(path, 302)
        case "html":
            answer = HTMLResponse(_PAGE)
        case "reset":
            await _end(scope, receive, reset=True)
            return
        case "tls-alert":
            await _end(scope, receive, reset=False, last_words=_ALERT)
            return
        case "other":
            answer = Response(_der(folder, wrong.argument), media_type="application/pkix-cert")
        case "oversize":
            start, body = await collect_response(app, scope, receive)
            try:
                size = 1000 * int(wrong.argument)
                body = await run_in_threadpool(enlarge_crl, folder, path, body, size) if body else b""
                answer = Response(body, start["status"], media_type="application/pkix-crl")
            except (PkigenError, OSError, ValueError) as error:
                _log.warning("a CRL of %s kilobytes cannot be made: %s", wrong.argument, error)
                answer = PlainTextResponse("500 the fault cannot be made\n", 500)
        case how:
            await _spoiled(how, wrong.argument, app, scope, receive, send)
            return
    await answer(scope, receive, send)


async def _spoiled(how: str, argument: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an altered version of the correct response."""
    start, body = await collect_response(app, scope, receive)
    headers = MutableHeaders(raw=start["headers"])
    match how:
        case "media-type":
            headers["Content-Type"] = argument
        case "pem":
            body = _as_pem(body)
        case "repeated":
            body = (body * _TIMES_TOO_LARGE)[:_LARGEST]
        case "late" if await _gone_within(receive, _SECONDS_BEFORE_ALL):
            return
    if how in ("pem", "repeated"):
        headers["Content-Length"] = str(len(body))
    if how == "endless":
        del headers["Content-Length"]
    await send(start)
    if how == "slow":
        for octet in body[:-1]:
            await send({"type": "http.response.body", "body": bytes((octet,)), "more_body": True})
            if await _gone_within(receive, _SECONDS_BETWEEN_OCTETS):
                return
        body = body[-1:]
    if how == "endless":
        await _without_end(body, receive, send)
        return
    if how == "truncated":
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        await _end(scope, receive, reset=False)
        return
    await send({"type": "http.response.body", "body": body})


async def _without_end(body: bytes, receive: Receive, send: Send) -> None:
    """Send a body and then zero bytes, until the client disconnects or has received the largest number."""
    await send({"type": "http.response.body", "body": body, "more_body": True})
    for _ in range(_LARGEST // len(_CHUNK)):
        await send({"type": "http.response.body", "body": _CHUNK, "more_body": True})
        if await _gone_within(receive, _SECONDS_BETWEEN_CHUNKS):
            return
    await send({"type": "http.response.body", "body": b""})


async def collect_response(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """Return the response of the application: a copy of its start message, and its body."""
    messages = list[Message]()

    async def collect(message: Message) -> None:
        messages.append(message)

    headers = [(name, value) for name, value in scope["headers"] if name not in _CONDITIONS]
    await app({**scope, "headers": headers}, receive, collect)
    start, *parts = messages
    body = b"".join(part.get("body", b"") for part in parts)
    return {**start, "headers": list(start["headers"])}, body


async def _gone_within(receive: Receive, seconds: float) -> bool:
    """Wait, and return whether the client disconnected within a number of seconds."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return False
    return True


async def _end(scope: Scope, receive: Receive, *, reset: bool, last_words: bytes = b"") -> None:
    """Close the connection during the request, and wait until it is closed."""
    connection = scope.get(CONNECTION)
    if connection is None:
        return
    if reset:
        connection.reset()
    else:
        connection.close(last_words)
    while (await receive())["type"] != "http.disconnect":
        pass


def _as_pem(data: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n"


def _der(folder: Path, entity: str) -> bytes:
    """Return the certificate of another entity, by its ID."""
    name = entity.rpartition("/")[2]
    match = _PEM.search((folder / entity / f"{name}.crt").read_bytes())
    return base64.b64decode(match[1]) if match else b""
