"""The control API: what is wrong with a running server, changed and seen over HTTP on this machine alone.

Whoever may read the environment's state may use it: the token lies there. Browsers may not: a page that
somebody opens has no token, and a name that leads here has the wrong Host (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from pkigen.errors import InputError, PkigenError
from pkigen.files import write_private_file
from pkigen.serve.control import request_log
from pkigen.serve.control.runtime_faults import RuntimeFaults
from pkigen.serve.faults.rules import Rule
from pkigen.serve.http.server import Listener, background, listen

HOST = "127.0.0.1"
FILE = ".pkigen/control.json"
"""Where the URL and the token are, below the environment's folder."""

_LARGEST_BODY = 16 * 1024
_LONGEST_WAIT = 30.0
_MOST_WAITING = 32
_LOOPBACK = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_NUMBER = re.compile(r"[0-9]{1,15}")
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


@contextmanager
def controlled(
    folder: Path, live: RuntimeFaults, port: int, tell: Callable[[str], None]
) -> Iterator[Listener]:
    """The control API of a server for as long as the block runs, at a port of the loopback address.

    Its URL and its token are in FILE meanwhile, which nobody but the user may read; ``tell`` hears the URL.
    Raises EnvironmentFailure when it cannot listen, or the file cannot be written.
    """
    token = secrets.token_urlsafe(32)
    with listen(HOST, port, option="--control-port") as listener:
        told = json.dumps({"url": listener.url, "token": token}) + "\n"
        with background(control(live, token), listener), announced(folder / FILE, told.encode("ascii")):
            tell(f"Control API at {listener.url}: URL and token are in {folder / FILE}")
            yield listener


@contextmanager
def announced(path: Path, data: bytes) -> Iterator[None]:
    """A file of the user's own for a while; one that another server has put there since stays."""
    write_private_file(path, data)
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_bytes() == data:
                path.unlink()


def control(live: RuntimeFaults, token: str) -> ASGIApp:
    """The application: every answer is JSON, an error has a sentence."""
    api = _Api(live)
    app = Starlette(
        routes=[
            Route("/faults", api.faults, methods=["GET"]),
            Route("/faults", api.put, methods=["PUT"]),
            Route("/faults", api.delete, methods=["DELETE"]),
            Route("/refresh", api.refresh, methods=["POST"]),
            Route("/requests", api.requests, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _refused, InputError: _wrong, PkigenError: _failed},
    )
    app.router.redirect_slashes = False
    return Guarded(app, token)


class Guarded:
    """Lets those pass who have the token (in ``file``), and call this machine by a name of its own."""

    def __init__(self, app: ASGIApp, token: str, file: str = FILE) -> None:
        self._app = app
        self._file = file
        self._expected = b"Bearer " + token.encode("ascii")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]):
            words = "the Host header must be 127.0.0.1 or localhost"
            await _error(421, words)(scope, receive, send)
        elif not secrets.compare_digest(b"\0".join(shown), self._expected):
            words = (
                f"the header Authorization: Bearer TOKEN is missing or wrong; the token is in {self._file}"
            )
            await _error(401, words, {"WWW-Authenticate": "Bearer"})(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Api:
    """The resources."""

    def __init__(self, live: RuntimeFaults) -> None:
        self._live = live
        self._waiting = asyncio.Semaphore(_MOST_WAITING)

    async def faults(self, _request: Request) -> Response:
        """What is wrong now."""
        rules = await run_in_threadpool(self._live.all)
        return _json({"faults": [_told(rule) for rule in rules]})

    async def put(self, request: Request) -> Response:
        """One fault more, or another in the place of one."""
        asked = await _body(request, {"of", "url", "fault"})
        if "fault" not in asked:
            raise InputError("'fault' is missing: the id of one, or an id with its parameters")
        of, url = _text(asked, "of"), _text(asked, "url")
        rule = await run_in_threadpool(self._live.put, asked["fault"], of=of, url=url)
        return _json(_told(rule))

    async def delete(self, request: Request) -> Response:
        """Those of an authority or at a URL, or all, are taken away; the profile's stay."""
        asked = await _body(request, {"of", "url"})
        of, url = _text(asked, "of"), _text(asked, "url")
        gone = await run_in_threadpool(self._live.clear, of=of, url=url)
        return _json({"cleared": [_told(rule) for rule in gone]})

    async def refresh(self, request: Request) -> Response:
        """New CRLs."""
        asked = await _body(request, {"of"})
        done = await run_in_threadpool(self._live.refresh, _text(asked, "of"))
        return _json({"crls": [{"of": name, "number": number} for name, number in done]})

    async def requests(self, request: Request) -> Response:
        """What was asked of the server after a number, waiting for it if need be."""
        asked = request.query_params
        if unknown := asked.keys() - {"since", "wait"}:
            raise InputError(f"there is no parameter '{min(unknown)[:80]}'; there are 'since' and 'wait'")
        since, wait = asked.get("since", "0"), asked.get("wait", "0")
        if not _NUMBER.fullmatch(since):
            raise InputError("'since' must be the number of a request, such as 17")
        if not _SECONDS.fullmatch(wait):
            raise InputError(f"'wait' must be seconds, such as 2.5; {_LONGEST_WAIT:g} are the most")
        if self._waiting.locked():
            return _error(503, f"{_MOST_WAITING} clients wait already")
        async with self._waiting:
            found = await self._live.journal.come(int(since), min(float(wait), _LONGEST_WAIT))
        last = found[-1].number if found else min(int(since), self._live.journal.last)
        return _json({"requests": [_noted(one) for one in found], "last": last})


def _told(rule: Rule) -> dict[str, Any]:
    fault = rule.fault
    return {
        "of": fault.of or None,
        "url": fault.url or None,
        "fault": fault.asked.type.id,
        "arguments": dict(fault.asked.arguments),
        "says": fault.asked.says,
        "paths": [path or "/" for path in rule.paths],
        "source": fault.source,
    }


def _noted(one: request_log.Request) -> dict[str, Any]:
    return {
        "number": one.number,
        "time": one.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "method": one.method,
        "path": one.path,
        "status": one.status,
        "fault": one.fault,
    }


async def _body(request: Request, known: set[str]) -> Mapping[str, Any]:
    """The object that a body is, none for an empty one; InputError says what is wrong with it."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            raise HTTPException(413, f"the body is larger than {_LARGEST_BODY // 1024} KiB")
    try:
        asked = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON") from None
    if not isinstance(asked, dict):
        raise HTTPException(400, "the body must be a JSON object")
    if unknown := asked.keys() - known:
        raise InputError(f"there is no key '{min(unknown)[:80]}'; there are {', '.join(sorted(known))}")
    return asked


def _text(asked: Mapping[str, Any], key: str) -> str:
    """The text at a key; empty where it is left out or null, and never where it is said."""
    value = asked.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or not value:
        raise InputError(f"'{key}' must be a text that is not empty")
    return value


def _json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    # In ASCII: what clients sent comes back, and need not be Unicode.
    data = json.dumps(value).encode("ascii") + b"\n"
    sent = {**_UNKEPT, **(headers or {})}
    return Response(data, status, sent, media_type="application/json")


def _error(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    return _json({"error": words}, status, headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: "there are /faults, /refresh and /requests", 405: f"{request.method} is not for this"}
    return _error(error.status_code, words.get(error.status_code, error.detail), error.headers)


async def _wrong(_request: Request, error: Exception) -> Response:
    return _error(422, str(error))


async def _failed(_request: Request, error: Exception) -> Response:
    return _error(503, str(error))
