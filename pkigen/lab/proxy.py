"""A plain HTTP proxy in front of the CRL server, as plants have one between their networks."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from pkigen.inspection.path import Unreachable, fetch


def proxy(base_url: str, there: str) -> Starlette:
    """Passes GET requests for URLs below ``base_url`` on to the CRL server, and refuses all others.

    ``there`` is the URL at which this machine reaches it, whatever the name in ``base_url`` leads to.
    """
    allowed = urlsplit(base_url).netloc

    async def forward(request: Request) -> Response:
        if request.headers.get("host", "").lower() != allowed.lower():
            return PlainTextResponse("403 This proxy leads to the CRL server alone.\n", 403)
        url = there + request.scope["raw_path"].decode("ascii", "replace")
        try:
            data = await run_in_threadpool(fetch, url)
        except Unreachable as error:
            return PlainTextResponse(f"502 {error}\n", 502)
        return Response(data, media_type="application/pkix-crl")

    return Starlette(routes=[Route("/{path:path}", forward, methods=["GET"])])
