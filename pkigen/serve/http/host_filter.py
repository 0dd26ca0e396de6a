"""Host header filter: refuses requests for other servers."""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_USUAL_PORT = ":80"


def host_filter(server: str, app: ASGIApp) -> ASGIApp:
    """Pass on requests whose Host is ``server`` (HOST or HOST:PORT) or missing; return 502 for others."""
    known = server.lower().removesuffix(_USUAL_PORT)

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        named = dict(scope.get("headers", ())).get(b"host", b"").decode("latin-1").lower()
        if scope["type"] != "http" or named.removesuffix(_USUAL_PORT) in ("", known):
            await app(scope, receive, send)
            return
        await PlainTextResponse("502 This proxy only serves the URLs of the environment.\n", 502)(
            scope, receive, send
        )

    return guarded
