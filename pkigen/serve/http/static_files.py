"""ASGI application that serves the files below ``www/`` (RFC 9110, 9111)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from datetime import datetime
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from pkigen.serve.http.file_cache import CachedFile, FileCache
from pkigen.serve.http.metadata import cache_control
from pkigen.serve.http.published_files import Document, Header, find_file

# What is written at once: the rest waits until the client has taken that.
_PIECE = 256 * 1024
_MOST_URLS = 16_384
# Each may hold a file of the largest size in memory that is not kept yet.
_MOST_READING = 4


class StaticFiles:
    """An ASGI application over ``www``: GET and HEAD of a file that ``find`` finds.

    ``base`` are the segments of a path below which the same files answer as at the root. ``clock`` tells
    for how long a CRL still counts. Raises HTTPException 404 for what is not there, and OSError.
    """

    def __init__(self, www: Path, base: list[str], keeper: FileCache, clock: Callable[[], datetime]) -> None:
        self._www = www
        self._base = base
        self._keeper = keeper
        self._clock = clock
        self._paths = OrderedDict[bytes, str]()
        self._reading = asyncio.Semaphore(_MOST_READING)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, its method already found to be allowed."""
        if await self.known(scope, send):
            return
        async with self._reading:
            kept = await run_in_threadpool(self._read, scope["raw_path"])
        document = kept.document
        with closing(document.file) if document.file is not None else nullcontext():
            await _answer(scope, send, document, self._headers(document))

    async def known(self, scope: Scope, send: Send) -> bool:
        """Answer at once from memory if that can be; whether it could."""
        raw_path = scope["raw_path"]
        path = self._paths.get(raw_path)
        kept = None if path is None else self._keeper.standing(path)
        if kept is None:
            return False
        await _answer(scope, send, kept.document, self._headers(kept.document))
        return True

    def _read(self, raw_path: bytes) -> CachedFile:
        segments = path_segments(raw_path.removeprefix(b"/"))
        if self._base and segments[: len(self._base)] == self._base:
            segments = segments[len(self._base) :]
        path = find_file(self._www, segments)
        if path is None:
            raise HTTPException(404)
        kept = self._keeper.read(path)
        # Of the many spellings of a URL the plain one is remembered: the others take no memory.
        if kept.trusted and b"%" not in raw_path:
            self._paths[raw_path] = kept.places[0]
            while len(self._paths) > _MOST_URLS:
                self._paths.popitem(last=False)
        return kept

    def _headers(self, document: Document) -> list[Header]:
        caching = cache_control(document.metadata, self._clock()).encode("ascii")
        length = b"%d" % document.size
        return [*document.headers, (b"cache-control", caching), (b"content-length", length)]


async def _answer(scope: Scope, send: Send, document: Document, headers: list[Header]) -> None:
    if _unchanged(document, scope["headers"]):
        await send({"type": "http.response.start", "status": 304, "headers": headers[:-1]})
        await send({"type": "http.response.body", "body": b""})
        return
    # Whoever is around this application may change the list that it gets.
    await send({"type": "http.response.start", "status": 200, "headers": [*headers]})
    if scope["method"] == "HEAD":
        await send({"type": "http.response.body", "body": b""})
    elif document.data is None or document.size > _PIECE:
        await _in_pieces(document, send)
    else:
        await send({"type": "http.response.body", "body": document.data})


def path_segments(raw_path: bytes) -> list[str]:
    """A path's segments, decoded one by one: a ``%2F`` stays inside its segment, and matches nothing."""
    return [unquote(segment, errors="surrogateescape") for segment in raw_path.decode("latin-1").split("/")]


def _unchanged(document: Document, headers: Iterable[Header]) -> bool:
    """Whether the client has these bytes already (RFC 9110, 13.2.2: the tag decides if there is one)."""
    tags, since = list[bytes](), b""
    for name, value in headers:
        if name == b"if-none-match":
            tags += value.split(b",")
        elif name == b"if-modified-since":
            since = value
    if tags:
        known = {tag.strip().removeprefix(b"W/") for tag in tags}
        return document.etag.removeprefix("W/").encode("ascii") in known or b"*" in known
    return since == document.last_modified.encode("ascii")


async def _in_pieces(document: Document, send: Send) -> None:
    """Send the body, as fast as the client takes it.

    A file that has become shorter meanwhile ends too early, and the server closes the connection.
    """
    source = document.file or BytesIO(document.data or b"")
    left = document.size
    while left:
        piece = await run_in_threadpool(source.read, min(left, _PIECE))
        if not piece:
            return
        left -= len(piece)
        await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
