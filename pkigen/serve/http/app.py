"""The ASGI application of the stub: published files, index page, health check, OCSP and faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.environment.ocsp.responder import OcspResponder
from pkigen.serve.control.request_log import RequestLogMiddleware
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.faults.injection import FaultInjectionMiddleware
from pkigen.serve.faults.url_map import ManifestWatcher
from pkigen.serve.http.file_cache import FileCache
from pkigen.serve.http.index_html import render
from pkigen.serve.http.index_page import Site, overview
from pkigen.serve.http.published_files import published_directory
from pkigen.serve.http.static_files import StaticFiles, path_segments
from pkigen.serve.ocsp import OcspMiddleware

if TYPE_CHECKING:
    from pkigen.environment.environment import Environment

_EVERYWHERE = {"X-Content-Type-Options": "nosniff"}
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def now() -> datetime:
    """This instant, in UTC."""
    return datetime.now(UTC)


def application(
    environment: Environment,
    clock: Callable[[], datetime] = now,
    tls_port: int | None = None,
    live: RuntimeFaults | None = None,
    passphrases: Sequence[bytes] = (),
) -> ASGIApp:
    """The stub of a built environment, also below the path of its base URL if that has one.

    URLs that the manifest says are answered wrong are answered so; the OCSP answers of its cases are
    given at their own. ``clock`` tells the instant by which caches are told how long to keep what they
    get. ``tls_port`` is where its certificates are presented, if they are: the index page names them.
    ``live`` are the faults that can be changed meanwhile, and who is told of requests. ``passphrases`` open
    keys that sign OCSP answers.
    """
    base_url = environment.base_url
    prefix = urlsplit(base_url).path
    watched = ManifestWatcher(environment.folder)
    responder = OcspResponder(environment.folder, watched.manifest, clock, passphrases)
    www = published_directory(environment.www)
    site = Site(environment.name, base_url, watched.manifest, tls_port)
    files = files_application(www, site, clock=clock)
    right = OcspMiddleware(files, f"{prefix}/ocsp", watched, responder, clock)
    app = FaultInjectionMiddleware(right, environment.folder, watched, clock, live)
    return app if live is None else RequestLogMiddleware(app, live.journal)


class FilesFirst:
    """Files that are in memory, before the framework sees a request: that is what the speed is in."""

    def __init__(self, files: StaticFiles, app: ASGIApp) -> None:
        self._files = files
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        readable = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        if readable and await self._files.known(scope, send):
            return
        await self._app(scope, receive, send)


def files_application(
    www: Path, site: Site, *, routes: Sequence[Route] = (), clock: Callable[[], datetime] = now
) -> ASGIApp:
    """An ASGI application over ``www``, which always gives files as they are on the disk at that moment.

    Below the path of the site's base URL the same files answer as at the root. ``routes`` go before the
    files. Only GET and HEAD are allowed for these (405), what is not there is 404, what may not be read
    is 403.
    """
    prefix = urlsplit(site.base_url).path.strip("/")
    keeper = FileCache(www)
    files = StaticFiles(www, path_segments(prefix.encode()) if prefix else [], keeper, clock)

    def index(request: Request) -> Response:
        page = render(overview(site, www, keeper, request, clock()))
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _PAGE_POLICY, **_EVERYWHERE}
        return HTMLResponse(page, headers=headers)

    def health(_request: Request) -> Response:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store", **_EVERYWHERE})

    app = Starlette(
        routes=[
            Route("/", index, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
            *routes,
            Route("/{path:path}", files, methods=["GET"]),
        ],
        exception_handlers={OSError: _not_readable, HTTPException: _refused},
    )
    app.router.redirect_slashes = False
    return FilesFirst(files, app)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = {**(error.headers or {}), **_EVERYWHERE}
    return PlainTextResponse(f"{error.status_code} {error.detail}\n", error.status_code, headers)


async def _not_readable(_request: Request, error: Exception) -> Response:
    """The disk's no as HTTP's; what the path is on this machine stays here."""
    match error:
        case FileNotFoundError():
            status = 404
        case PermissionError():
            status = 403
        case _:
            status = 500
    return await _refused(_request, HTTPException(status))
