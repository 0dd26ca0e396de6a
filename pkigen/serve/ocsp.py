"""OCSP over HTTP (RFC 6960, A; RFC 5019, 5): by POST, and by GET with the request in the URL."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pkigen.environment.responding import Answer, Responder
from pkigen.revocation.ocsp_request import LARGEST
from pkigen.serve.cases import Watched
from pkigen.serve.wrong import without_request

_MEDIA_TYPE = "application/ocsp-response"
_EVERYWHERE = {"X-Content-Type-Options": "nosniff"}


def ocsp(folder: Path, watched: Watched) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint: a case of an OCSP fault is given its own answer, all else is asked of the responder."""
    responder = Responder(folder, watched.manifest)

    async def answer(request: Request) -> Response:
        fixed = watched.now.answers.get(without_request(request.scope["path"]))
        if fixed is not None:
            headers = {"Cache-Control": "no-cache", **_EVERYWHERE}
            return Response(
                await run_in_threadpool(fixed.read_bytes), media_type=_MEDIA_TYPE, headers=headers
            )
        asked = await _posted(request) if request.method == "POST" else _in_url(request)
        if asked is None:
            return PlainTextResponse("404 Not Found\n", 404, _EVERYWHERE)
        given = await run_in_threadpool(responder.answer, asked)
        return Response(given.response, media_type=_MEDIA_TYPE, headers={**_EVERYWHERE, **_keeping(given)})

    return answer


async def _posted(request: Request) -> bytes:
    """The body, or the beginning of one that is too large to be a request."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            break
    return bytes(body)


def _in_url(request: Request) -> bytes | None:
    """The request that stands in the URL, base64 and then percent-encoded; None where there is none."""
    written = request.scope["raw_path"].decode("latin-1").partition("/ocsp/")[2]
    try:
        return base64.b64decode(unquote(written), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _keeping(given: Answer) -> dict[str, str]:
    """How long a cache may keep an answer (RFC 5019, 6.2)."""
    if given.until is None:
        return {"Cache-Control": "no-store"}
    seconds = max(int((given.until - datetime.now(UTC)).total_seconds()), 0)
    return {
        "Cache-Control": f"max-age={seconds}, public, no-transform, must-revalidate",
        "Expires": format_datetime(given.until, usegmt=True),
    }
