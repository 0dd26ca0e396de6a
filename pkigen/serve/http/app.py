"""The ASGI application of the stub: published files, index page, health check, OCSP and faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import unquote, urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.serve.control.request_log import RequestLogMiddleware
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.faults.injection import FaultInjectionMiddleware
from pkigen.serve.faults.url_map import ManifestWatcher
from pkigen.serve.http.cache_control import cache_control
from pkigen.serve.http.index_page import Site, index_page
from pkigen.serve.http.published_files import PIECE_BYTES, Document, find_file, published_directory, read_file
from pkigen.serve.ocsp import OcspMiddleware

if TYPE_CHECKING:
    from pkigen.environment.environment import Environment

_EVERYWHERE = {"X-Content-Type-Options": "nosniff"}
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def application(
    environment: Environment,
    clock: Callable[[], datetime] = now,
    tls_port: int | None = None,
    live: RuntimeFaults | None = None,
    passphrases: Sequence[bytes] = (),
    routes: Sequence[Route] = (),
) -> ASGIApp:
    """Return the stub of a built environment; its URLs also work below the path of the base URL.

    URLs with a fault in the manifest return the faulty response, and cases with OCSP faults have their own
    OCSP URLs. ``clock`` determines the lifetime in caches. The index page lists the TLS endpoints at
    ``tls_port`` if there is one. ``live`` contains faults that can change at run time, and logs requests.
    ``passphrases`` decrypt the keys that sign OCSP responses. ``routes`` take precedence over files.
    """
    base_url = environment.base_url
    prefix = unquote(urlsplit(base_url).path)
    watched = ManifestWatcher(environment.folder)
    responder = OcspResponder(environment.folder, watched.manifest, clock, passphrases)
    www = published_directory(environment.www)
    site = Site(environment.name, base_url, watched.manifest, tls_port)
    files = files_application(www, site, routes=routes, clock=clock)
    ocsp = OcspMiddleware(files, f"{prefix}/ocsp", watched, responder, clock)
    app = FaultInjectionMiddleware(ocsp, environment.folder, watched, clock, live)
    return app if live is None else RequestLogMiddleware(app, live.journal)


def files_application(
    www: Path, site: Site, *, routes: Sequence[Route] = (), clock: Callable[[], datetime] = now
) -> ASGIApp:
    """Return an ASGI application that serves the current files below ``www``.

    The same files are served below the path of the site's base URL. ``routes`` take precedence over them.
    Files allow GET and HEAD only (405); a missing file is 404, an unreadable one 403.
    """
    prefix = urlsplit(site.base_url).path.strip("/")
    base = _segments(prefix) if prefix else []

    def index(request: Request) -> Response:
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _PAGE_POLICY, **_EVERYWHERE}
        return HTMLResponse(index_page(site, www, request, clock()), headers=headers)

    def health(_request: Request) -> Response:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store", **_EVERYWHERE})

    async def published(request: Request) -> Response:
        segments = _segments(request.scope["raw_path"].decode("latin-1").removeprefix("/"))
        if base and segments[: len(base)] == base:
            segments = segments[len(base) :]
        path = find_file(www, segments)
        if path is None:
            raise HTTPException(404)
        # Reading a small file takes less time than switching to another thread.
        is_small = path.lstat().st_size <= PIECE_BYTES
        document = read_file(path) if is_small else await run_in_threadpool(read_file, path)
        return _file_response(request, document, clock())

    app = Starlette(
        routes=[
            Route("/", index, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
            *routes,
            Route("/{path:path}", published, methods=["GET"]),
        ],
        exception_handlers={OSError: _unreadable, HTTPException: _http_error},
    )
    app.router.redirect_slashes = False
    return app


def _segments(path: str) -> list[str]:
    """Split a path and decode its segments: a ``%2F`` stays in its segment, and matches no file."""
    return [unquote(segment, errors="surrogateescape") for segment in path.split("/")]


def _file_response(request: Request, document: Document, at: datetime) -> Response:
    """Return the response for a file (RFC 9110, 9111)."""
    headers = {**document.headers, "Cache-Control": cache_control(document.metadata, at)}
    if request.method == "GET" and document.size > PIECE_BYTES and not _is_unchanged(request, headers):
        headers["Content-Length"] = str(document.size)
        return StreamingResponse(_pieces(document.file, document.size), headers=headers)
    with document.file as file:
        if _is_unchanged(request, headers):
            return Response(status_code=304, headers=headers)
        headers["Content-Length"] = str(document.size)
        return Response(file.read() if request.method == "GET" else b"", headers=headers)


def _is_unchanged(request: Request, headers: Mapping[str, str]) -> bool:
    """Whether the client has these bytes already (RFC 9110, 13.2.2: an entity tag precedes a date)."""
    if tags := ",".join(request.headers.getlist("if-none-match")):
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return headers["ETag"].removeprefix("W/") in known or "*" in known
    return request.headers.get("if-modified-since") == headers["Last-Modified"]


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Read a file in pieces; if it has become shorter, the server closes the connection."""
    with file:
        while size > 0 and (piece := file.read(min(size, PIECE_BYTES))):
            size -= len(piece)
            yield piece


async def _http_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {**(error.headers or {}), **_EVERYWHERE}
    return PlainTextResponse(f"{error.status_code} {error.detail}\n", error.status_code, headers)


async def _unreadable(request: Request, error: Exception) -> Response:
    """Convert an OS error to an HTTP error that does not reveal the path."""
    status = (
        404 if isinstance(error, FileNotFoundError) else 403 if isinstance(error, PermissionError) else 500
    )
    return await _http_error(request, HTTPException(status))
