"""Serves the key authorizations of http-01 for the appliances of the lab (RFC 8555, 8.3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route


class HttpChallenges:
    """The key authorizations that appliances publish, by token. Safe to use from several threads."""

    def __init__(self) -> None:
        self._published = dict[str, str]()

    @contextmanager
    def published(self, token: str, key_authorization: str) -> Iterator[None]:
        """Serve a key authorization for the duration of the block."""
        self._published[token] = key_authorization
        try:
            yield
        finally:
            self._published.pop(token, None)

    def application(self) -> Starlette:
        """Return the application for port 80 of the appliances."""

        async def get(request: Request) -> Response:
            text = self._published.get(request.path_params["token"])
            if text is None:
                return PlainTextResponse("404 no appliance has this token\n", 404)
            return Response(text, media_type="application/octet-stream")

        return Starlette(routes=[Route("/.well-known/acme-challenge/{token}", get, methods=["GET"])])
