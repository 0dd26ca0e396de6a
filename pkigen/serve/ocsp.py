"""OCSP over HTTP (RFC 6960, A; RFC 5019, 5): by POST, and by GET with the request in the URL."""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import TypeVar
from urllib.parse import unquote

from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.environment.ocsp.responder import OcspAnswer, OcspResponder
from pkigen.revocation.ocsp_request import LARGEST
from pkigen.serve.faults.injection import strip_ocsp_request
from pkigen.serve.faults.url_map import ManifestWatcher

T = TypeVar("T")
Headers = list[tuple[bytes, bytes]]

_MEDIA_TYPE = (b"content-type", b"application/ocsp-response")
_PLAIN = (b"content-type", b"text/plain; charset=utf-8")
_EVERYWHERE = (b"x-content-type-options", b"nosniff")


class OcspMiddleware:
    """Answers OCSP requests at a path and below it, and passes other requests on.

    Cases with an OCSP fault have their own response; all other requests go to the responder. Signing runs in
    other threads, because it releases the interpreter lock; cached responses are returned immediately.
    """

    def __init__(
        self,
        app: ASGIApp,
        path: str,
        watched: ManifestWatcher,
        responder: OcspResponder,
        clock: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._path = path
        self._watched = watched
        self._responder = responder
        self._clock = clock
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="pkigen-ocsp")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http" or not self._is_here(scope["path"]):
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        if method not in ("GET", "POST"):
            await _give(send, 405, [_PLAIN, (b"allow", b"GET, POST")], b"405 Method Not Allowed\n")
            return
        fixed = self._watched.now.answers.get(strip_ocsp_request(scope["path"]))
        if fixed is not None:
            data = await self._elsewhere(fixed.read_bytes)
            await _give(send, 200, [_MEDIA_TYPE, (b"cache-control", b"no-cache")], data)
            return
        query = await _posted(receive) if method == "POST" else _in_url(scope)
        if query is None:
            await _give(send, 404, [_PLAIN], b"404 Not Found\n")
            return
        answer = self._responder.cached(query)
        if answer is None:
            answer = await self._elsewhere(lambda: self._responder.respond(query))
        headers = _of_caches(answer, self._clock())
        if method == "GET" and _has_it(scope, headers):
            await _give(send, 304, headers, b"")
        else:
            await _give(send, 200, [_MEDIA_TYPE, *headers], answer.response)

    def _is_here(self, path: str) -> bool:
        return path == self._path or path.startswith(f"{self._path}/")

    async def _elsewhere(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def _give(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = [] if status == 304 else [(b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": status, "headers": [*headers, _EVERYWHERE, *length]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def _posted(receive: Receive) -> bytes:
    """Read the body, up to the maximum size of a request."""
    body, more = bytearray(), True
    while more and len(body) <= LARGEST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _in_url(scope: Scope) -> bytes | None:
    """Return the request in the URL (base64, percent-encoded), or None."""
    written = scope["raw_path"].decode("latin-1").partition("/ocsp/")[2]
    try:
        return base64.b64decode(unquote(written), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _of_caches(answer: OcspAnswer, now: datetime) -> Headers:
    """Return the caching headers of a response (RFC 5019, 6.2)."""
    if answer.next_update is None:
        return [(b"cache-control", b"no-store")]
    seconds = max(int((answer.next_update - now).total_seconds()), 0)
    caching = f"max-age={seconds}, public, no-transform, must-revalidate"
    return [(b"cache-control", caching.encode()), *_of_answer(answer)]


@lru_cache(maxsize=256)
def _of_answer(answer: OcspAnswer) -> tuple[tuple[bytes, bytes], ...]:
    """Return the caching headers that depend only on the response."""
    assert answer.this_update is not None
    assert answer.next_update is not None
    tag = sha256(answer.response).hexdigest()[:32]
    return (
        (b"expires", _http_date(answer.next_update)),
        (b"last-modified", _http_date(answer.this_update)),
        (b"etag", f'"{tag}"'.encode()),
    )


def _http_date(instant: datetime) -> bytes:
    return format_datetime(instant.astimezone(UTC), usegmt=True).encode()


def _has_it(scope: Scope, headers: Headers) -> bool:
    tag = dict(headers).get(b"etag")
    return tag is not None and dict(scope["headers"]).get(b"if-none-match") == tag
