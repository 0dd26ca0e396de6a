"""Answers that are wrong on purpose, around an application that gives right ones (RFC 9110, RFC 2585)."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pkigen.serve.cases import Watched, Wrong
from pkigen.serve.server import hang_up

_PAGE = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n"
_MOVED = "/moved"
_SECONDS_BETWEEN_OCTETS = 1.0
_TIMES_TOO_LARGE = 1000
_LARGEST = 64 * 1024 * 1024
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----([^-]+)-----END")


class WrongAnswers:
    """Plays what the manifest says of a URL; all else goes to the application.

    What is there is asked of the application itself, so that a fault of the transport is one and no
    other: the octets that come slowly, or too few of them, are the right ones.
    """

    def __init__(self, app: ASGIApp, folder: Path, watched: Watched) -> None:
        self._app = app
        self._folder = folder
        self._watched = watched

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path.startswith(f"{_MOVED}/"):
            moved = path.removeprefix(_MOVED)
            scope = {**scope, "path": moved, "raw_path": moved.encode("latin-1", "replace")}
        wrong = None if scope["path"] != path else self._watched.now.wrong.get(without_request(path))
        if wrong is None:
            await self._app(scope, receive, send)
            return
        await self._play(wrong, scope, receive, send)

    async def _play(self, wrong: Wrong, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        match wrong.how:
            case "status":
                answer: Response = PlainTextResponse(f"{wrong.argument}\n", int(wrong.argument))
            case "redirect":
                answer = RedirectResponse(_MOVED + path, 302)
            case "loop":
                answer = RedirectResponse(path, 302)
            case "html":
                answer = HTMLResponse(_PAGE)
            case "reset":
                await _end(scope, receive, reset=True)
                return
            case "other":
                answer = Response(_der(self._folder, wrong.argument), media_type="application/pkix-cert")
            case how:
                await self._spoiled(how, wrong.argument, scope, receive, send)
                return
        await answer(scope, receive, send)

    async def _spoiled(self, how: str, argument: str, scope: Scope, receive: Receive, send: Send) -> None:
        """The right answer, spoiled on its way."""
        start, body = await self._right(scope, receive)
        headers = MutableHeaders(raw=start["headers"])
        match how:
            case "media-type":
                headers["Content-Type"] = argument
            case "pem":
                body = _as_pem(body)
            case "oversize":
                body = (body * _TIMES_TOO_LARGE)[:_LARGEST]
        if how in ("pem", "oversize"):
            headers["Content-Length"] = str(len(body))
        await send(start)
        if how == "slow":
            for octet in body[:-1]:
                await send({"type": "http.response.body", "body": bytes((octet,)), "more_body": True})
                await asyncio.sleep(_SECONDS_BETWEEN_OCTETS)
            body = body[-1:]
        if how == "truncated":
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await _end(scope, receive, reset=False)
            return
        await send({"type": "http.response.body", "body": body})

    async def _right(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """What the application answers: the start of the response, and its body."""
        messages = list[Message]()

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        start, *parts = messages
        return start, b"".join(part.get("body", b"") for part in parts)


async def _end(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Hang up in the middle of a request, and wait until that has happened."""
    host, port = scope["client"]
    if hang_up((host, port), reset=reset):
        while (await receive())["type"] != "http.disconnect":
            pass


def without_request(path: str) -> str:
    """The path of an OCSP responder without the request that a GET adds to it (RFC 6960, A.1)."""
    if not path.count("/ocsp/"):
        return path
    head, _, rest = path.partition("/ocsp/")
    return f"{head}/ocsp/{rest.partition('/')[0]}"


def _as_pem(data: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(data) + b"-----END CERTIFICATE-----\n"


def _der(folder: Path, entity: str) -> bytes:
    """The certificate of another entity of the environment, by its id."""
    name = entity.rpartition("/")[2]
    found = _PEM.search((folder / entity / f"{name}.crt").read_bytes())
    return base64.b64decode(found[1]) if found else b""
