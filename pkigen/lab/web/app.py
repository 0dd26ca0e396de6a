"""The application of one appliance; every response has headers against cross-site attacks."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pkigen.errors import PkigenError
from pkigen.lab.appliance.appliance import Appliance
from pkigen.lab.lab import Lab
from pkigen.lab.web.actions import Actions
from pkigen.lab.web.console import Console
from pkigen.lab.web.fields import MAX_BODY_BYTES
from pkigen.lab.web.rest import Rest

_STATIC = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # With no-referrer, browsers would call the origin of forms "null".
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def application(lab: Lab, appliance: Appliance) -> ASGIApp:
    """Return the console, the API and the endpoint for other appliances."""
    console = Console(lab, appliance)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        words = {404: "This page does not exist", 405: f"This page does not support {request.method}"}
        detail = words.get(error.status_code, error.detail)
        answer = console.error(request, error.status_code, detail)
        answer.headers.update(error.headers or {})
        return answer

    async def failed(request: Request, error: Exception) -> Response:
        return console.error(request, 422 if getattr(error, "exit_code", 3) == 2 else 503, str(error))

    app = Starlette(
        routes=[
            *Rest(lab, appliance).routes(),
            *console.routes(),
            *Actions(lab, appliance, console).routes(),
            Mount("/static", StaticFiles(directory=_STATIC)),
        ],
        exception_handlers={HTTPException: refused, PkigenError: failed},
    )
    return _SecurityHeaders(app)


class _SecurityHeaders:
    """Adds the security headers, prevents caching of pages, and limits the size of request bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            return
        declared = Headers(scope=scope).get("content-length", "0")
        size = 0

        async def received() -> Message:
            nonlocal size
            message = {} if int(declared) > MAX_BODY_BYTES else await receive()
            size += len(message.get("body", b""))
            if not message or size > MAX_BODY_BYTES:
                words = f"The request body exceeds {MAX_BODY_BYTES // 1024} KiB."
                raise HTTPException(413, words)
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name.lower() for name, _ in message["headers"]}
                own = [header for header in _HEADERS if header[0] not in there]
                if b"cache-control" not in there:
                    caching = b"max-age=300" if scope["path"].startswith("/static/") else b"no-store"
                    own.append((b"cache-control", caching))
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        await self._app(scope, received, sent)
