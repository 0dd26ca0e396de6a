"""The web application: files under ``www/``, an index for people, a sign of life."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pkigen.serve.cases import Watched
from pkigen.serve.files import Document, find, published_folder, read, walk
from pkigen.serve.ocsp import ocsp
from pkigen.serve.page import render
from pkigen.serve.wrong import WrongAnswers

if TYPE_CHECKING:
    from pkigen.environment import Environment

_EVERYWHERE = {"X-Content-Type-Options": "nosniff"}
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def application(environment: Environment) -> ASGIApp:
    """The stub of a built environment, also below the path of its base URL if that has one.

    URLs that the manifest says are answered wrong are answered so; the OCSP answers of its cases are
    given at their own.
    """
    prefix = urlsplit(str(environment.manifest["base_url"])).path
    watched = Watched(environment.folder)
    answer = ocsp(environment.folder, watched)
    paths = (f"{prefix}/ocsp", f"{prefix}/ocsp/{{rest:path}}")
    routes = [Route(path, answer, methods=["GET", "POST"]) for path in paths]
    www = published_folder(environment.www)
    right = files_application(www, title=environment.name, prefix=prefix, routes=routes)
    return WrongAnswers(right, environment.folder, watched)


def files_application(www: Path, *, title: str, prefix: str = "", routes: Sequence[Route] = ()) -> Starlette:
    """An ASGI application over ``www``; every request reads the file anew.

    Below ``prefix`` ("/pki") the same files answer as at the root. ``title`` heads the index page.
    ``routes`` go before the files. Only GET and HEAD are allowed for these (405), what is not there is
    404, what may not be read is 403.
    """
    base = _segments(prefix.strip("/").encode()) if prefix.strip("/") else []

    def file(request: Request) -> Response:
        segments = _segments(request.scope["raw_path"].removeprefix(b"/"))
        if base and segments[: len(base)] == base:
            segments = segments[len(base) :]
        path = find(www, segments)
        if path is None:
            raise HTTPException(404)
        document = read(path)
        headers = {**document.headers, **_EVERYWHERE}
        if _unchanged(document, request.headers):
            return Response(status_code=304, headers=headers)
        return Response(document.data, headers=headers)

    def index(_request: Request) -> Response:
        page = render(title, tuple(walk(www)))
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _PAGE_POLICY, **_EVERYWHERE}
        return HTMLResponse(page, headers=headers)

    def health(_request: Request) -> Response:
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store", **_EVERYWHERE})

    app = Starlette(
        routes=[
            Route("/", index, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
            *routes,
            Route("/{path:path}", file, methods=["GET"]),
        ],
        exception_handlers={OSError: _not_readable, HTTPException: _refused},
    )
    app.router.redirect_slashes = False
    return app


def _segments(raw_path: bytes) -> list[str]:
    """A path's segments, decoded one by one: a ``%2F`` stays inside its segment, and matches nothing."""
    return [unquote(segment, errors="surrogateescape") for segment in raw_path.decode("latin-1").split("/")]


def _unchanged(document: Document, headers: Mapping[str, str]) -> bool:
    """Whether the client has these bytes already (RFC 9110, 13.2.2: the tag decides if there is one)."""
    if (known := headers.get("if-none-match")) is not None:
        tags = {tag.strip().removeprefix("W/") for tag in known.split(",")}
        return document.etag in tags or "*" in tags
    return headers.get("if-modified-since") == document.headers["Last-Modified"]


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
